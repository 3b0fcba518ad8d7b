/** What the file says about CloudEvents (https://cloudevents.io, version 1.0). */
import type { Infer } from '../schema/infer.ts';
import type { Schema } from '../schema/schema.ts';

/** Beside the kind of a source. */
export const sourceEvents = {
  type: 'object',
  description:
    'Messages are CloudEvents, in binary or structured mode: their attributes are `$event`, their data is the body.',
  properties: {
    required: {
      type: 'boolean',
      default: true,
      description: '`false`: a message that is no event passes as it came, without `$event`. Else it is `malformed`.',
    },
  },
  examples: [{}],
} as const satisfies Schema;

/** Beside the kind of an endpoint. */
export const endpointEvents = {
  type: 'object',
  description: 'Messages go out as CloudEvents; what a step says under `event` belongs to its own.',
  required: ['mode'],
  properties: {
    mode: {
      type: 'string',
      enum: ['binary', 'structured'],
      description:
        '`binary`: attributes as headers, the body as it is. `structured`: one JSON document with attributes and data.',
    },
    source: {
      type: 'string',
      description: 'Where the events come from, a URI reference; `/<integration>/<flow>` when absent.',
      examples: ['/shop/orders'],
    },
    type: {
      type: 'string',
      description: 'What the events of steps are that do not say it themselves.',
      examples: ['com.example.order.placed'],
    },
  },
  examples: [{ mode: 'binary', source: '/shop', type: 'com.example.order.placed' }],
} as const satisfies Schema;

/** Beside `body` and `headers` of a step that sends. */
export const stepEvent = {
  type: 'object',
  description:
    'Attributes of the CloudEvent, for endpoints with `cloudEvents`. A hole that yields nothing leaves one out.',
  properties: {
    type: { type: 'string', template: true, description: 'What happened.', examples: ['com.example.order.placed'] },
    subject: { type: 'string', template: true, description: 'What it happened to.', examples: ['${{ orderId }}'] },
    id: {
      type: 'string',
      template: true,
      description: 'Which event of its source it is: the same for all that say the same. Drawn when absent.',
    },
    source: { type: 'string', template: true, description: 'Where it comes from, instead of the one of the endpoint.' },
    time: { type: 'string', template: true, description: 'When it happened (RFC 3339); now when absent.' },
    dataschema: { type: 'string', template: true, description: 'The schema that the data keeps to, a URI.' },
    extensions: {
      type: 'object',
      template: true,
      additionalProperties: { type: 'string' },
      description: 'Further attributes; names of lower-case letters and digits.',
      examples: [{ tenant: '${{ tenant }}' }],
    },
  },
} as const satisfies Schema;

export type SourceEvents = Infer<typeof sourceEvents>;
export type EndpointEvents = Infer<typeof endpointEvents>;

/** How attributes stand in the headers of a protocol: its binding. */
export interface EventBinding {
  readonly prefix: string;
  /** Prefixes that are understood too, in lower case. */
  readonly accepts?: readonly string[];
  /** `datacontenttype` stands there too, beside the content type of the protocol. */
  readonly withContentType?: boolean;
  /** Values are percent-encoded. */
  readonly percentEncoded?: boolean;
  /** Why the messages of an endpoint with these options have no headers. */
  readonly without?: (options: unknown) => string | undefined;
}
