/** Messages between the sandbox and its thread (sandbox-thread.ts). */

/** `message` is `ReferenceError: nope is not defined` and the like. */
export type Evaluated = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

/** `code` is the thread's code, as CommonJS; the other fields are its data. */
export interface SandboxParts {
  readonly code: string;
  /** QuickJS. */
  readonly wasm: Uint8Array;
  /** The thread begins from an image, or by loading moment from its source. */
  readonly begin: { readonly image: Uint8Array } | { readonly moment: string };
}

/** The first message: the thread is loaded. */
export interface Ready {
  /** An image from which other threads can begin; absent if this one began from an image. */
  readonly image: Uint8Array | undefined;
  /** The file in which Linux counts the thread's processor time, in nanoseconds; elsewhere absent. */
  readonly usage: string | undefined;
}

export interface Request {
  /** The body of a function. */
  readonly source: string;
  /** JSON: the function's `this`. */
  readonly scope: string;
  /** The zone of `Date` and `moment`. */
  readonly timezone: string;
}

export interface Answer {
  readonly result: Evaluated;
  /** If false, the thread must not evaluate anything more: WebAssembly's memory never shrinks, and after a crash its state is unknown. */
  readonly usable: boolean;
}
