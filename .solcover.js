module.exports = {
  skipFiles: ["test"], // hostile tokens, receivers and harnesses are tools of the tests
  // a table on the terminal, coverage/index.html to look at, coverage/coverage-final.json for scripts/check-coverage.ts
  istanbulReporter: ["text", "html", "json"],
};
