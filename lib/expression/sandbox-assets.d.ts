/** What esbuild puts into the sandbox's code as bytes and as text (bundle-sandbox.mjs). */
declare module '@jitl/quickjs-wasmfile-release-sync/wasm' {
  const wasm: Uint8Array;
  export default wasm;
}

declare module 'moment/min/moment.min.js' {
  const source: string;
  export default source;
}
