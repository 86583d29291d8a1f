/** Whose AWS account, and which region: `--profile` and `--region`, else as every AWS tool finds them. */
export interface Connection {
  readonly profile?: string;
  readonly region?: string;
}

/** What a client of the SDK is made with. Calls that are refused for their number are tried again for about half a minute. */
export function clientOptions({ profile, region }: Connection): {
  readonly profile?: string;
  readonly region?: string;
  readonly maxAttempts: number;
} {
  return { maxAttempts: 8, ...(profile === undefined ? {} : { profile }), ...(region === undefined ? {} : { region }) };
}
