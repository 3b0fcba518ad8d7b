/** Reads an OpenAPI document (3.0, 3.1) as a contract; the operations only when somebody asks for them. */
import { dirname } from 'node:path';
import type { Contract, ContractOperation } from '../../core/contract.ts';
import {
  childOf,
  type Document,
  DocumentProblem,
  Documents,
  entriesOf,
  itemsOf,
  type Located,
  type ReadText,
} from './documents.ts';
import { readOperation, type Standing } from './operation.ts';
import { Schemas } from './schemas.ts';

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;

/** `folder` is where the integration is. Throws a {@link DocumentProblem} that says what is wrong, and where. */
export function readContract(path: string, text: string, folder: string, readText: ReadText): Contract {
  const documents = new Documents(folder, readText);
  const document = documents.open(path, text);
  const root: Located = { document, pointer: '', value: document.root };
  const version = versionOf(root);
  documents.gather(document);
  const schemas = new Schemas(documents, version === '3.0');
  const standing = operationsOf(root, documents);
  const read = new Map<string, ContractOperation | DocumentProblem>();
  const operation = (id: string): ContractOperation | DocumentProblem | undefined => {
    const at = standing.get(id);
    if (!at) return undefined;
    const known = read.get(id);
    if (known) return known;
    const result = attempted(() => withSecurity(readOperation(at, documents, schemas), root));
    read.set(id, result);
    return result;
  };
  const server = serverOf(root);
  return {
    path,
    operationIds: [...standing.keys()],
    operation(id) {
      const found = operation(id);
      return found instanceof DocumentProblem ? undefined : found;
    },
    used: () => [...read.values()].flatMap((one) => (one instanceof DocumentProblem ? [] : [one])),
    problems(id) {
      const found = operation(id);
      return found instanceof DocumentProblem ? [found.message] : [];
    },
    schemas: schemas.all,
    serverUrl: server,
    serverPath: server === undefined ? undefined : pathOf(server, document),
    securitySchemes: Object.fromEntries(
      entriesOf(childOf(childOf(root, 'components'), 'securitySchemes')).flatMap(([name, at]) => {
        const found = attempted(() => documents.followed(at).value);
        return found instanceof DocumentProblem ? [] : [[name, found]];
      }),
    ),
  };
}

/** What the document asks for everywhere, where the operation does not say otherwise. */
function withSecurity(operation: ContractOperation, root: Located): ContractOperation {
  const { value: security } = childOf(root, 'security');
  if (security === undefined) return operation;
  return { ...operation, told: { security, ...operation.told } };
}

function attempted<T>(work: () => T): T | DocumentProblem {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof DocumentProblem) return thrown;
    throw thrown;
  }
}

function versionOf(root: Located): '3.0' | '3.1' {
  const { document, value } = root;
  const { openapi, swagger } = (typeof value === 'object' && value !== null ? value : {}) as Readonly<
    Record<string, unknown>
  >;
  if (openapi === undefined && swagger !== undefined) {
    const what = `this is Swagger ${String(swagger)}, which came before OpenAPI: convert it to OpenAPI 3.0 or 3.1`;
    throw new DocumentProblem(`${document.place('/swagger')}: ${what}`);
  }
  if (openapi === undefined) {
    const what = 'this is no OpenAPI document: it has no `openapi: 3.1.0` at its beginning';
    throw new DocumentProblem(`${document.place('')}: ${what}`);
  }
  const found = /^3\.([012])\b/.exec(String(openapi))?.[1];
  if (found === undefined) {
    const what = `\`openapi\` is ${String(openapi)}; known are 3.0 and 3.1`;
    throw new DocumentProblem(`${document.place('/openapi')}: ${what}`);
  }
  if (entriesOf(childOf(root, 'paths')).length === 0) {
    throw new DocumentProblem(`${document.place('/paths')}: the document has no \`paths\`: it describes no operation`);
  }
  return found === '0' ? '3.0' : '3.1';
}

/** Every operation by its name, none of them read yet. Throws where two have the same name. */
function operationsOf(root: Located, documents: Documents): ReadonlyMap<string, Standing> {
  const all = new Map<string, Standing>();
  for (const [path, written] of entriesOf(childOf(root, 'paths'))) {
    if (!path.startsWith('/')) {
      if (path.startsWith('x-')) continue;
      throw new DocumentProblem(`${written.document.place(written.pointer, 'key')}: a path begins with \`/\``);
    }
    const pathItem = documents.followed(written);
    for (const method of methods) {
      const operation = childOf(pathItem, method);
      if (operation.value === undefined) continue;
      const own = childOf(operation, 'operationId');
      const id = typeof own.value === 'string' ? own.value : `${method.toUpperCase()} ${path}`;
      if (all.has(id)) {
        const what = `there is another operation \`${id}\` in the document`;
        throw new DocumentProblem(`${own.document.place(own.pointer)}: ${what}`);
      }
      all.set(id, { id, method: method.toUpperCase(), path, operation, pathItem });
    }
  }
  return all;
}

/** One whose URL has variables says nothing that could be used. */
function serverOf(root: Located): string | undefined {
  const [first] = itemsOf(childOf(root, 'servers'));
  const url = first && childOf(first, 'url').value;
  return typeof url === 'string' && !url.includes('{') ? url : undefined;
}

function pathOf(server: string, { path }: Document): string | undefined {
  try {
    return new URL(server, `file://${dirname(path)}/`).pathname.replace(/\/+$/, '');
  } catch {
    return undefined;
  }
}
