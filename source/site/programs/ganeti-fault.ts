/** How the gnt-* programs say that something can't be done. */
export function fault(type: string, text: string): string {
  return `Failure: prerequisites not met for this operation:\nerror type: ${type}, error details:\n${text}\n`;
}
