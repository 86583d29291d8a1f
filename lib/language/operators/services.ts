/** Operators that ask a service: http>, http_call>, mail>, s3_wait>, aws>, lambda>. */
import { flag, type OperatorSpec, text } from './spec.ts';

const HTTP_OPTIONS: OperatorSpec['options'] = {
  method: text('HTTP method.', { default: 'GET' }),
  content: { type: 'any', description: 'Body: text, or a mapping or list that is sent as JSON or a form.' },
  content_format: text('How `content` is sent.', { oneOf: ['text', 'json', 'form'] }),
  content_type: text('Content-Type header. Default: that of the format.'),
  store_content: flag('Store the answer as `http.last_content`, up to 64 KiB.', false),
  headers: { type: ['list', 'mapping'], description: 'Mapping, or list of one-key mappings (`- name: value`).' },
  query: { type: ['mapping', 'text'], description: 'Query parameters.' },
  retry: {
    type: 'boolean',
    description: 'Retry on 5xx and lost connections. Default: true for GET, HEAD, OPTIONS and TRACE.',
  },
  timeout: { type: 'seconds', default: 30, description: 'Seconds for the whole request.' },
  follow_redirects: flag('Follow redirects.', true),
  insecure: flag('Do not check the certificate.', false),
  user: text('User for basic authentication.'),
  proxy: {
    type: 'mapping',
    description: 'HTTP proxy.',
    keys: {
      enabled: { type: 'boolean', description: 'Use the proxy.' },
      host: text('Host.'),
      port: { type: ['integer', 'text'], description: 'Port.' },
      tls: flag('Use TLS to the proxy.', false),
      user: text('User.'),
      password: text('Password.'),
    },
  },
};

export const SERVICES: { readonly [operator: string]: OperatorSpec } = {
  http: {
    description: 'Makes an HTTP request; stores `http.last_status`.',
    kind: 'function',
    function: 'http',
    command: text('Address; may contain ${secret:KEY}. Default: the secret http.uri.'),
    commandElsewhere: [],
    options: HTTP_OPTIONS,
    stores: { variable: 'http' },
    defaults: 'http',
    secrets: ['command', 'headers', 'query', 'content'],
  },
  http_call: {
    description: 'Makes an HTTP request and runs the workflow (JSON or YAML) in the answer.',
    kind: 'function',
    function: 'http_call',
    command: text('Address.'),
    commandElsewhere: [],
    options: {
      ...HTTP_OPTIONS,
      content_type_override: text('Content type of the answer, if the server sends a wrong one.'),
    },
    stores: 'anything',
    defaults: 'http',
    secrets: ['command', 'headers', 'query', 'content'],
  },
  mail: {
    description: 'Sends a mail.',
    kind: 'function',
    function: 'notify',
    sends: 'mail',
    command: {
      type: ['text', 'mapping'],
      required: true,
      description: 'File with the text, or `{data: text}`. `${…}` works in both.',
    },
    options: {
      subject: text('Subject.', { required: true }),
      to: { type: ['list', 'text'], required: true, description: 'Addresses.' },
      cc: { type: ['list', 'text'], description: 'Addresses.' },
      bcc: { type: ['list', 'text'], description: 'Addresses.' },
      from: text('Sender.', { required: true }),
      host: text('SMTP server. Default: the secret mail.host; without either, SES when deployed.'),
      port: { type: ['integer', 'text'], description: 'Port of the server.' },
      username: text('User on the server.'),
      tls: flag('Use STARTTLS.', true),
      ssl: flag('Use TLS from the start.', false),
      html: flag('The text is HTML.', false),
      escape: flag('In HTML, escape what `${…}` gives. `false` keeps the markup of values.', true),
      debug: flag('Log the conversation with the server.', false),
      attach_files: {
        type: 'list',
        description:
          'List of files of the project, `{path, content_type?, filename?}`, or stored values, `{value: "${name}", …}`.',
      },
    },
    stores: 'nothing',
    defaults: 'mail',
  },
  s3_wait: {
    description: 'Waits until an object is in S3; stores `s3.last_object`.',
    kind: 'poll',
    command: text('BUCKET/KEY.'),
    commandElsewhere: ['bucket'],
    options: {
      bucket: text('Bucket, if the value does not give it.'),
      key: text('Key, if the value does not give it.'),
      region: text('Region.'),
      endpoint: text('Address of an S3-compatible store.'),
      version_id: text('Version of the object.'),
      path_style_access: flag('Put the bucket into the path and not into the host name.', false),
      timeout: { type: 'duration', description: 'Longest time to wait.' },
      continue_on_timeout: flag('Continue after the timeout instead of failing.', false),
    },
    stores: { variable: 's3' },
    defaults: 's3',
  },
  aws: {
    description: 'Calls any AWS service (a Step Functions integration); stores the answer as `aws.last_result`.',
    kind: 'service',
    command: text(
      'service:action, such as s3:listObjectsV2. With .sync it waits for the end: athena:startQueryExecution.sync.',
      {
        required: true,
      },
    ),
    options: {
      arguments: { type: ['mapping', 'text'], default: {}, description: "The request, with AWS's names (PascalCase)." },
      store_result: flag('Store the answer.', true),
    },
    stores: { variable: 'aws' },
  },
  lambda: {
    description: 'Invokes a Lambda function; stores its answer as `lambda.last_result`.',
    kind: 'invocation',
    command: text('Name or ARN of the function.', { required: true }),
    options: {
      payload: { type: 'any', default: {}, description: 'Input of the function.' },
      qualifier: text('Version or alias.'),
      invocation_type: text('`Event` does not wait for the function.', {
        oneOf: ['RequestResponse', 'Event'],
        default: 'RequestResponse',
      }),
      store_result: flag('Store the answer.', true),
    },
    stores: { variable: 'lambda' },
  },
};
