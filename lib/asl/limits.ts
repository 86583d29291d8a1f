/** Limits of Standard state machines and of what surrounds them (AWS documentation; docs/limits.md explains their effects). */
export const LIMITS = {
  stateNameChars: 80,
  definitionBytes: 1024 * 1024,
  historyEvents: 25_000,
  /** State input, state output, one variable, and one state's Assign in all. */
  payloadBytes: 256 * 1024,
  variablesBytes: 10 * 1024 * 1024,
  inlineMapConcurrency: 40,
  distributedMapConcurrency: 10_000,
  errorChars: 256,
  causeChars: 32_768,
  /** Evaluation frames of a JSONata expression. */
  jsonataDepth: 100,
  executionNameChars: 80,
  /** A task or an execution may wait a year. */
  waitSeconds: 31_536_000,
} as const;
