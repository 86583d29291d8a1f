export function bundleSandbox(): Promise<{ readonly code: string; readonly files: readonly string[] }>;
