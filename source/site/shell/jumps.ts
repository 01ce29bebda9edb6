/** What leaves a command before its end. */

/** `break` and `continue` on their way to their loop. */
export class LoopJump extends Error {
  constructor(
    readonly how: "break" | "continue",
    public levels: number,
  ) {
    super(how);
  }
}

/** `return` on its way to its function. */
export class FunctionReturn extends Error {
  constructor(readonly status: number) {
    super("return");
  }
}
