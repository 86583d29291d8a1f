/** What the sandbox and its thread (sandbox-thread.ts) send each other. */

/** `message` is `ReferenceError: nope is not defined` and the like. */
export type Evaluated = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

/** `code` is the thread's, as CommonJS; it gets the rest as its data. */
export interface SandboxParts {
  readonly code: string;
  /** QuickJS. */
  readonly wasm: Uint8Array;
  /** From an image, or by loading moment from its source. */
  readonly begin: { readonly image: Uint8Array } | { readonly moment: string };
}

/** The first message: the thread is loaded. */
export interface Ready {
  /** From which others may begin; absent if it began from one. */
  readonly image: Uint8Array | undefined;
  /** The file in which Linux counts the thread's processor time, in nanoseconds; elsewhere absent. */
  readonly usage: string | undefined;
}

export interface Request {
  /** The body of a function. */
  readonly source: string;
  /** JSON: the function's `this`. */
  readonly scope: string;
  /** Of `Date` and `moment`. */
  readonly timezone: string;
}

export interface Answer {
  readonly result: Evaluated;
  /** False: the thread evaluates nothing more. WebAssembly's memory never shrinks, and after a crash it is in no known state. */
  readonly usable: boolean;
}
