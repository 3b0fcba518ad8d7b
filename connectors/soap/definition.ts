import { type ConnectorDefinition, type Infer, type Schema, xmlOptions } from '#sdk';
import { soapVersions } from './versions.ts';

const { arrays, mixed, coerce } = xmlOptions.properties;

const texts = { type: 'array', items: { type: 'string' }, minItems: 1 } as const satisfies Schema;

/** How payloads become values: as XML does, but for names. */
const payload = {
  namespace: {
    type: 'string',
    format: 'uri',
    description: 'Namespace of the elements that are written without a prefix.',
    examples: ['urn:calc', 'http://tempuri.org/'],
  },
  namespaces: {
    type: 'object',
    additionalProperties: { type: 'string' },
    description:
      'Prefix → namespace URI. Elements of these namespaces are written and known by these prefixes, whatever the other side uses; all others are known by their local names.',
    examples: [{ m: 'urn:calc' }],
  },
  arrays: {
    ...arrays,
    description: 'Paths of elements that are always a list, from inside the SOAP Body, as in `AddResponse.item`.',
  },
  mixed,
  coerce,
} as const satisfies Record<string, Schema>;

const ownEndpoint = {
  version: {
    type: 'string',
    enum: soapVersions,
    default: '1.1',
    description: 'Version of SOAP that the service speaks.',
  },
  action: {
    type: 'string',
    description:
      'What the service calls the action of a call (`SOAPAction`, in 1.2 `action`); `{operation}` stands for the operation. Default: none.',
    examples: ['urn:calc#{operation}', 'http://tempuri.org/ICalculator/{operation}'],
  },
  ...payload,
} as const satisfies Record<string, Schema>;

const ownSource = {
  versions: {
    type: 'array',
    items: { type: 'string', enum: soapVersions },
    minItems: 1,
    default: soapVersions,
    description: 'Versions of SOAP that are spoken; a client is answered in its own.',
  },
  operations: {
    ...texts,
    description: 'Names of the elements that are taken inside the SOAP Body. Default: any.',
    examples: [['Add', 'Subtract']],
  },
  understands: {
    ...texts,
    description:
      'Names of the header blocks that the flow takes care of. A block that is marked `mustUnderstand` and is not named here is refused.',
    examples: [['Security']],
  },
  ...payload,
} as const satisfies Record<string, Schema>;

const call = {
  type: 'object',
  properties: {
    operation: {
      type: 'string',
      template: true,
      description:
        'Name of the element around the body. Without it the body is what stands inside the SOAP Body: a map with the element as its key.',
      examples: ['Add'],
    },
    action: {
      type: 'string',
      template: true,
      description: 'Action of this call, instead of that of the endpoint.',
    },
    header: {
      type: 'object',
      template: true,
      description: 'SOAP header blocks, by element. (HTTP headers stand under `headers` of the step.)',
      examples: [{ Session: '${{ $session.id }}' }],
    },
  },
} as const satisfies Schema;

export type SoapEndpointOptions = Infer<{ type: 'object'; properties: typeof ownEndpoint }>;
export type SoapSourceOptions = Infer<{ type: 'object'; properties: typeof ownSource }>;

/** The options that the connector below takes as they are: written once, there. */
const carriedByEndpoint = [
  'url',
  'urls',
  'loadBalance',
  'ejection',
  'healthCheck',
  'dns',
  'headers',
  'auth',
  'tls',
  'pool',
  'maxResponse',
] as const;
const carriedBySource = ['path', 'maxBody', 'auth', 'rateLimit'] as const;
const carriedByCall = ['target'] as const;

export function soapDefinition(carrier: ConnectorDefinition): ConnectorDefinition {
  return {
    name: 'soap',
    summary: 'Calls SOAP services, and is one: envelopes, actions, header blocks and faults of SOAP 1.1 and 1.2.',
    carrier: carrier.name,
    endpoint: {
      type: 'object',
      oneOf: ['url', 'urls'],
      properties: { ...picked(carrier.endpoint, carriedByEndpoint), ...ownEndpoint },
    },
    source: {
      type: 'object',
      required: ['path'],
      ...(carrier.source?.elsewhere && { elsewhere: carrier.source.elsewhere }),
      properties: { ...picked(carrier.source, carriedBySource), ...ownSource },
    },
    call: { ...call, properties: { ...call.properties, ...picked(carrier.call, carriedByCall) } },
    replies: true,
    awaitsReply: true,
    writesTrace: true,
    events: false,
    unsettled:
      'the caller waits for the answer, and hears of an error. Calls are repeated by `retry` on their endpoint',
    ...passedOn(carrier),
    staysOpen: (options) => carrier.staysOpen?.(options) === true,
    claims: (options) => carrier.claims?.(options) ?? [],
    check(options, report, slot) {
      carrier.check?.(options, report, slot);
      const { namespaces } = options as { readonly namespaces?: Readonly<Record<string, string>> };
      if (namespaces && '' in namespaces)
        report('namespaces/', 'the namespace of names without a prefix has an option of its own: write `namespace`');
    },
  };
}

/** What depends on the options that are the carrier's. */
const passedOn = ({ provides, asks, tokens, checkServer }: ConnectorDefinition): Partial<ConnectorDefinition> => ({
  ...(provides && { provides }),
  ...(asks && { asks }),
  ...(tokens && { tokens }),
  ...(checkServer && { checkServer }),
});

const picked = (schema: Schema | undefined, names: readonly string[]): Readonly<Record<string, Schema>> =>
  Object.fromEntries(Object.entries(schema?.properties ?? {}).filter(([name]) => names.includes(name)));
