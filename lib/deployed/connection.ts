import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { present } from '../asl/present.ts';
import { AwsFault } from './aws-fault.ts';

/** The AWS account and the region: `--profile` and `--region`, else as every AWS tool finds them. */
export interface Connection {
  readonly profile?: string;
  readonly region?: string;
}

/** Milliseconds: for a connection, and of silence on one. The SDK itself waits for ever where a network swallows what is sent. */
const PATIENCE = { connectionTimeout: 5_000, socketTimeout: 60_000 } as const;

/**
 * What a client of the SDK is made with. Calls that are refused for their number are tried again for about half a minute.
 * @throws AwsFault for a profile that is not there
 */
export function clientOptions({ profile, region }: Connection): {
  readonly profile?: string;
  readonly region?: string;
  readonly maxAttempts: number;
  readonly requestHandler: typeof PATIENCE;
} {
  // The SDK's warning about future versions of Node does not help someone who starts a workflow.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  checkProfile(profile);
  return {
    maxAttempts: 8,
    requestHandler: PATIENCE,
    ...present({ profile, region }),
  };
}

/** For a mistyped profile, the SDK says only that there is no region, or that there are no credentials. */
function checkProfile(given: string | undefined): void {
  const { AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE } = process.env;
  const profile = given ?? (AWS_ACCESS_KEY_ID ? undefined : AWS_PROFILE);
  if (!profile || profile === 'default') return;
  const files = [
    AWS_CONFIG_FILE ?? join(homedir(), '.aws', 'config'),
    AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), '.aws', 'credentials'),
  ];
  const known = new Set(files.flatMap(profilesIn));
  if (known.has(profile)) return;
  const list = known.size === 0 ? `none in ${files.join(' and ')}` : [...known].sort().join(', ');
  throw new AwsFault('setup', '', `there is no AWS profile ${profile}`, [
    `Profiles: ${list}`,
    given === undefined ? 'It was asked for by AWS_PROFILE' : '`aws configure list-profiles` lists them',
  ]);
}

/** `[NAME]`, in the one file `[profile NAME]`. */
function profilesIn(file: string): string[] {
  try {
    const text = readFileSync(file, 'utf8');
    const sections = [...text.matchAll(/^\s*\[\s*(?:profile\s+)?(['"]?)([^\]'"]+?)\1\s*\]/gm)].map(
      ([, , name = '']) => name,
    );
    return sections.filter((name) => !/^(?:sso-session|services)\s/.test(name));
  } catch {
    return [];
  }
}
