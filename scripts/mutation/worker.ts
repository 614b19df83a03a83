// One of the processes that try mutants: it keeps compiler and tests loaded, and its working directory is a sandbox of
// its own. A message is a trial, or a mere list of tests to run without any fault. See workers.ts.
import { judge, judgeUnchanged, type Trial } from "./verdict";

process.on("message", (message: Trial | readonly string[]) => {
  const verdict = "mutant" in message ? judge(message) : judgeUnchanged(message);
  verdict.then(
    (given) => process.send?.(given),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
