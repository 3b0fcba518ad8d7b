import { integrationSchema } from '../schema/language.ts';
import { nearest } from '../schema/nearest.ts';
import { entryOf, type MapNode, type Node } from '../schema/node.ts';

interface Document {
  /** The keys that tell: all of them stand at the top. */
  readonly keys: readonly string[];
  readonly is: string;
}

const documents: readonly Document[] = [
  {
    keys: ['dowelTest'],
    is: 'a file of tests: `dowel test` runs it, and `dowel validate` checks it when its name ends with `.test.yaml`',
  },
  { keys: ['openapi'], is: 'an OpenAPI document: an integration names it under `contract: { openapi: … }`' },
  { keys: ['swagger'], is: 'a Swagger document' },
  { keys: ['asyncapi'], is: 'an AsyncAPI document' },
  { keys: ['apiVersion', 'kind'], is: 'a Kubernetes manifest: `dowel kube` writes those of an integration' },
  { keys: ['services'], is: 'a Docker Compose file' },
  { keys: ['jobs'], is: 'a workflow of GitHub Actions' },
  { keys: ['input', 'output'], is: 'a configuration of Redpanda Connect: its `input` is the `from` of a flow here' },
  {
    keys: ['pipeline', 'output'],
    is: 'a configuration of Redpanda Connect: its `pipeline` is the `steps` of a flow here',
  },
  { keys: ['$schema'], is: 'a JSON Schema: an integration names it under `validate: { schema: … }`' },
];

const camel: ReadonlySet<string> = new Set(['from', 'route', 'routeTemplate', 'rest', 'beans', 'routeConfiguration']);

export interface OtherDocument {
  /** Of the key that tells, or of the list as a whole. */
  readonly pointer: string;
  readonly message: string;
}

/** What a file is that was never meant as an integration: to list all that it lacks would help nobody. */
export function otherDocument(root: Node): OtherDocument | undefined {
  if (root.kind === 'list') {
    const isCamel = root.items.some((item) => item.kind === 'map' && item.entries.some(({ key }) => camel.has(key)));
    return isCamel ? said('', 'a list of routes of Apache Camel: a route is a flow here, under `flows:`') : undefined;
  }
  if (root.kind !== 'map' || entryOf(root, 'dowel') || entryOf(root, 'flows')) return undefined;
  for (const { keys, is } of documents) {
    const found = keys.map((key) => entryOf(root, key));
    if (found.every((one) => one !== undefined)) return said(found[0]?.pointer ?? '', is);
  }
  return isStrange(root) ? said(root.entries[0]?.value.pointer ?? '', undefined) : undefined;
}

/** None of its keys is one of an integration, or meant as one. */
const isStrange = ({ entries }: MapNode): boolean => {
  const known = Object.keys(integrationSchema.properties);
  return entries.length > 1 && entries.every(({ key }) => !known.includes(key) && nearest(key, known) === undefined);
};

const said = (pointer: string, is: string | undefined): OtherDocument => ({
  pointer,
  message:
    is === undefined
      ? 'This is not an integration: it has none of its keys. One begins with `dowel: 1`, `name` and `flows`; `dowel new` writes one'
      : `This is ${is}. An integration begins with \`dowel: 1\``,
});
