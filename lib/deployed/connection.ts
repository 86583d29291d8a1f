/** Whose AWS account, and which region: `--profile` and `--region`, else as every AWS tool finds them. */
export interface Connection {
  readonly profile?: string;
  readonly region?: string;
}

/** Milliseconds: for a connection, and of silence on one. The SDK itself waits for ever where a network swallows what is sent. */
const PATIENCE = { connectionTimeout: 5_000, socketTimeout: 60_000 } as const;

/** What a client of the SDK is made with. Calls that are refused for their number are tried again for about half a minute. */
export function clientOptions({ profile, region }: Connection): {
  readonly profile?: string;
  readonly region?: string;
  readonly maxAttempts: number;
  readonly requestHandler: typeof PATIENCE;
} {
  // Which versions of Node the SDK will take one day is no news for whoever starts a workflow.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return {
    maxAttempts: 8,
    requestHandler: PATIENCE,
    ...(profile === undefined ? {} : { profile }),
    ...(region === undefined ? {} : { region }),
  };
}
