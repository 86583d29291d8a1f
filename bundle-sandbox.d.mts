export function bundleSandbox(): Promise<{
  readonly code: string;
  readonly wasm: Uint8Array;
  readonly moment: string;
  readonly files: readonly string[];
}>;
