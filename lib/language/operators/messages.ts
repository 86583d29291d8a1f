/** Operators that say something: echo>, fail>, notify>, slack>. */
import { flag, type OperatorSpec, text } from './spec.ts';

export const MESSAGES: { readonly [operator: string]: OperatorSpec } = {
  echo: {
    description: 'Prints a text.',
    kind: 'print',
    command: { type: 'any', description: 'The text.' },
    options: {},
    stores: 'nothing',
  },
  fail: {
    description: 'Makes the workflow fail.',
    kind: 'failure',
    command: { type: 'any', description: 'The message.' },
    commandElsewhere: [],
    options: {},
    stores: 'nothing',
  },
  notify: {
    description: 'Prints a message and sends it to the `notifications` of trowel.yml.',
    kind: 'function',
    function: 'notify',
    sends: 'notification',
    command: text('The message.', { required: true }),
    options: {},
    stores: 'nothing',
  },
  slack: {
    description: 'Sends a message to Slack through an incoming webhook.',
    kind: 'function',
    function: 'notify',
    sends: 'slack',
    command: {
      type: ['text', 'mapping'],
      required: true,
      description: 'The text, or the whole message as a mapping, such as `{text: …, blocks: […]}`.',
    },
    options: {
      channel: text('Another channel, if the webhook allows it.'),
      url: text('Address of the webhook. Default: the secret slack.webhook.'),
      escape: flag('Escape what `${…}` gives. `false` keeps the markup of values.', true),
      blocks: { type: 'list', description: "Slack's Block Kit blocks, next to the text." },
    },
    stores: 'nothing',
    defaults: 'slack',
    secrets: ['url'],
    needsSecret: { key: 'slack.webhook', unless: ['url', 'webhook'] },
  },
};
