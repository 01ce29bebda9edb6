/** What xe says on stderr when it fails. */
export class XeError extends Error {}
