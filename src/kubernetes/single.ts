import type { EndpointSource, FlowSource } from '../core/written.ts';
import { sqlitePath } from '../store/open.ts';
import type { StoreOptions } from '../store/options.ts';
import { type Deployable, flowsFrom, folder } from './deployable.ts';
import { isShared } from './written.ts';

/** Why there may be one replica only, each with what to write instead. */
export const reasonsForOne = (one: Deployable): readonly string[] => [
  ...storeReasons(one),
  ...flowsFrom(one.source, 'file').map(
    (flow) => `the flow ${flow.name} takes files from a folder: let a queue bring them`,
  ),
  ...flowsFrom(one.source, 'timer').map(
    (flow) => `the timer of the flow ${flow.name} would run in every replica: put it into an integration of its own`,
  ),
  ...Object.values(one.source.endpoints)
    .filter((endpoint) => endpoint.connector.name === 'file')
    .map(
      (endpoint) =>
        `the endpoint ${endpoint.name} writes files, and every replica would have its own: send to a queue or a service instead`,
    ),
  ...brokerReasons(one),
];

/** Where the SQLite file is, if it is needed. */
export function databasePath({ source, program }: Deployable): string | undefined {
  return needsStore(program)
    ? sqlitePath(source.store as StoreOptions | undefined, { folder, integration: source.name })
    : undefined;
}

/** Also for dead letters, where no endpoint gets them: the store is opened for the first of them. */
const needsStore = ({ store, flows }: Deployable['program']): boolean =>
  store.needed || [...flows.values()].some((flow) => flow.durable || keepsLetters(flow));

const keepsLetters = ({ settlement }: { readonly settlement: { readonly deadLetter: unknown } | undefined }): boolean =>
  settlement !== undefined && settlement.deadLetter === undefined;

const instead = 'write `store: { redis: { url: … } }` or `store: { postgres: { url: … } }`, which replicas share';

function storeReasons(one: Deployable): readonly string[] {
  const path = databasePath(one);
  if (path !== undefined)
    return [`what it keeps is in an SQLite file (${path}), which one process alone can use: ${instead}`];
  const inMemory = (one.source.store as StoreOptions | undefined)?.memory !== undefined;
  return inMemory && needsStore(one.program) ? [`what it keeps is in the memory of each replica: ${instead}`] : [];
}

function brokerReasons({ source, root }: Deployable): readonly string[] {
  const flows = Object.values(source.flows);
  return [
    ...flows.flatMap((flow) => repeated(flow)),
    ...flows.flatMap(({ name, from }) =>
      from ? owned(`the flow ${name}`, from.pointer, (pointer) => isShared(root, pointer)) : [],
    ),
    ...Object.values(source.endpoints).flatMap(({ name, connector }: EndpointSource) =>
      connector.name === 'mqtt' && isShared(root, `${connector.pointer}/clientId`)
        ? [ownName(`the endpoint ${name}`, 'clientId')]
        : [],
    ),
  ];
}

/** Sources of which every replica would get every message, or one alone any. */
function repeated({ name, from }: FlowSource): readonly string[] {
  const options = (from?.options ?? {}) as Readonly<Record<string, unknown>>;
  const says = (instead: string): readonly string[] => [
    `every replica would get every message of the flow ${name}: ${instead}`,
  ];
  if (from?.name === 'mqtt' && options['share'] === undefined)
    return says('write `share:`, and a `clientId` with ${HOSTNAME}');
  if (from?.name === 'redis' && options['stream'] === undefined) return says('read a `stream`');
  if (from?.name === 'amqp' && options['exclusive'] === true)
    return [
      `the flow ${name} is the only reader of its queue, and other replicas would never be ready: leave \`exclusive\` out`,
    ];
  if (from?.name === 'nats' && options['stream'] === undefined && options['queue'] === undefined)
    return says('write `queue:`');
  return [];
}

/** Names that a process must have for itself. */
const ownNames: Readonly<Record<string, string>> = { mqtt: 'clientId', kafka: 'instance', redis: 'consumer' };

function owned(who: string, pointer: string, fixed: (pointer: string) => boolean): readonly string[] {
  const key = ownNames[pointer.slice(pointer.lastIndexOf('/') + 1)];
  return key !== undefined && fixed(`${pointer}/${key}`) ? [ownName(who, key)] : [];
}

const ownName = (who: string, key: string): string =>
  `\`${key}\` of ${who} would be the same in every replica: write \${HOSTNAME} into it, and HOSTNAME under \`config\``;
