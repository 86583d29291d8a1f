/** No answer came. `message` says why, and may name the address, but neither headers nor content. */
export class NoResponse extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
