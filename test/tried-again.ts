import type { Reporter, TestCase } from "vitest/node";

/** Names, after everything else, the tests that passed only when they were tried again, and why they failed the first time. */
export default class TriedAgain implements Reporter {
  private readonly lines: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (!test.diagnostic()?.flaky) return;
    const reason = test.result().errors?.[0]?.message.split("\n")[0] ?? "no reason given";
    this.lines.push(`tried again: ${test.module.relativeModuleId} > ${test.fullName}: ${reason}`);
  }

  onTestRunEnd(): void {
    for (const line of this.lines) console.log(line);
  }
}
