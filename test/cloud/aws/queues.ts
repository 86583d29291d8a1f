/** Messages of SQS, which is moto's, over the proxy in somebody's name. */
import { type Credentials, signedAs } from './keys.ts';
import { ACCOUNT, ACCOUNT_KEY, REGION } from './service.ts';

export interface Message {
  readonly body: string;
  readonly attributes: { readonly [name: string]: string };
}

type Field = readonly [name: string, value: string];

const ACCOUNT_CREDENTIALS: Credentials = { accessKeyId: ACCOUNT_KEY, secretAccessKey: 'test' };

/** @throws Error with the service's answer */
export async function sendMessage(
  url: string,
  queueArn: string,
  message: Message,
  credentials: Credentials = ACCOUNT_CREDENTIALS,
): Promise<void> {
  const attributes = Object.entries(message.attributes).flatMap(([name, value], i): Field[] => {
    const field = `MessageAttribute.${i + 1}`;
    return [
      [`${field}.Name`, name],
      [`${field}.Value.DataType`, 'String'],
      [`${field}.Value.StringValue`, value],
    ];
  });
  await ask(url, queueArn, [['Action', 'SendMessage'], ['MessageBody', message.body], ...attributes], credentials);
}

/** Takes what lies in a queue, at most ten. */
export async function takeMessages(url: string, queueArn: string): Promise<Message[]> {
  const all: readonly Field[] = [
    ['Action', 'ReceiveMessage'],
    ['MaxNumberOfMessages', '10'],
    ['MessageAttributeName.1', 'All'],
  ];
  const text = await ask(url, queueArn, all, ACCOUNT_CREDENTIALS);
  return [...text.matchAll(/<Message>(.*?)<\/Message>/gs)].map(([, message = '']) => ({
    body: plain(/<Body>(.*?)<\/Body>/s.exec(message)?.[1]),
    attributes: Object.fromEntries(
      [...message.matchAll(/<MessageAttribute>.*?<Name>(.*?)<\/Name>.*?<StringValue>(.*?)<\/StringValue>/gs)].map(
        ([, name, value]) => [plain(name), plain(value)],
      ),
    ),
  }));
}

async function ask(url: string, queueArn: string, fields: readonly Field[], credentials: Credentials): Promise<string> {
  const name = queueArn.slice(queueArn.lastIndexOf(':') + 1);
  const QueueUrl = `${url}/${ACCOUNT}/${name}`;
  const answer = await fetch(QueueUrl, {
    method: 'POST',
    headers: { ...signedAs(credentials, 'sqs', REGION), 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(
      Object.fromEntries([['QueueUrl', QueueUrl], ['Version', '2012-11-05'], ...fields]),
    ).toString(),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`SQS: ${answer.status} ${text}`);
  return text;
}

function plain(xml = ''): string {
  const entities: { readonly [name: string]: string } = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return xml.replaceAll(/&(?:#(\d+)|(\w+));/g, (whole, code?: string, name?: string) =>
    code !== undefined ? String.fromCodePoint(Number(code)) : (entities[name ?? ''] ?? whole),
  );
}
