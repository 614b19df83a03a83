import { TASK_TEST_GET_TEST_FILES } from "hardhat/builtin-tasks/task-names";
import { subtask } from "hardhat/config";

/**
 * `hardhat test` and `hardhat coverage` run the files named *.test.ts. Everything else under test/ is support, or a
 * heavier suite that its npm script names (the gas journal, the random walk, the second node).
 */
subtask(TASK_TEST_GET_TEST_FILES, async (args: { testFiles: string[] }, _hre, runSuper): Promise<string[]> => {
  const files = (await runSuper(args)) as string[];
  return args.testFiles.length > 0 ? files : files.filter((file) => file.endsWith(".test.ts"));
});
