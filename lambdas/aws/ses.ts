import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { taskFailed } from '../../lib/contract/errors.ts';
import { passing } from '../../lib/contract/faults.ts';
import type { RawMail } from '../../lib/functions/notify/mail.ts';

let client: SESv2Client | undefined;

/** Sends a whole message through SES, to exactly these recipients. Passing faults are thrown as they are, to be tried again. */
export async function sendBySes({ from, to, raw }: RawMail): Promise<void> {
  client ??= new SESv2Client({});
  try {
    await client.send(
      new SendEmailCommand({
        FromEmailAddress: from,
        Destination: { ToAddresses: [...to] },
        Content: { Raw: { Data: raw } },
      }),
    );
  } catch (error) {
    if (passing(error) !== undefined) throw error;
    const { name, message } = error as Error;
    const hint =
      'SES sends only from addresses and domains that are verified there, and in its sandbox only to verified ones: see trowel check --aws. For another server, set the secrets mail.host, mail.username, mail.password';
    throw taskFailed(`SES refused the mail from ${from}: ${name}: ${message}. ${hint}`, error);
  }
}
