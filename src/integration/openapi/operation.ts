import type {
  ContractAnswer,
  ContractBody,
  ContractContent,
  ContractHeader,
  ContractOperation,
  ContractParameter,
  ParameterPlace,
} from '../../core/contract.ts';
import { childOf, type Documents, entriesOf, itemsOf, type Located, problemAt } from './documents.ts';
import type { Schemas } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

/** Where an operation stands: below a path, with what the path says for all of its operations. */
export interface Standing {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Located;
  readonly pathItem: Located;
}

const places: readonly string[] = ['path', 'query', 'header', 'cookie'] satisfies ParameterPlace[];

/** Headers that other parts of a document describe (OpenAPI 3.1 §4.8.12.1). */
const otherwise = new Set(['accept', 'content-type', 'authorization']);

/** Reads one operation. Throws a DocumentProblem where the document is wrong. */
export function readOperation(standing: Standing, documents: Documents, schemas: Schemas): ContractOperation {
  const { id, method, path, operation, pathItem } = standing;
  const reader = new Reader(documents, schemas);
  return {
    id,
    method,
    path,
    parameters: reader.parameters(pathItem, operation, path),
    body: reader.body(childOf(operation, 'requestBody')),
    answers: entriesOf(childOf(operation, 'responses'))
      .filter(([status]) => !status.startsWith('x-'))
      .map(([status, at]) => reader.answer(status, at)),
    told: only(operation.value, ['operationId', 'summary', 'description', 'tags', 'deprecated', 'security']),
  };
}

class Reader {
  readonly #documents: Documents;
  readonly #schemas: Schemas;

  constructor(documents: Documents, schemas: Schemas) {
    this.#documents = documents;
    this.#schemas = schemas;
  }

  /** Those of the operation win over those of its path. */
  parameters(pathItem: Located, operation: Located, path: string): readonly ContractParameter[] {
    const all = new Map<string, ContractParameter>();
    for (const owner of [pathItem, operation]) {
      for (const item of itemsOf(childOf(owner, 'parameters'))) {
        const one = this.#parameter(this.#documents.followed(item), path);
        if (one) all.set(`${one.in} ${one.name}`, one);
      }
    }
    for (const [, name = ''] of path.matchAll(/\{([^}]+)\}/g)) {
      if (all.has(`path ${name}`)) continue;
      throw problemAt(operation, `the path has the parameter {${name}}, and \`parameters\` does not describe it`);
    }
    return [...all.values()];
  }

  body(written: Located): ContractBody | undefined {
    if (written.value === undefined) return undefined;
    const at = this.#documents.followed(written);
    return {
      required: childOf(at, 'required').value === true,
      contents: this.#contents(at),
      told: only(at.value, ['description']),
    };
  }

  answer(status: string, written: Located): ContractAnswer {
    if (!/^([1-5]\d\d|[1-5]XX|default)$/.test(status)) {
      throw problemAt(written, `\`${status}\` is no status: write it as \`200\`, \`2XX\` or \`default\``);
    }
    const at = this.#documents.followed(written);
    const headers = entriesOf(childOf(at, 'headers')).filter(([name]) => name.toLowerCase() !== 'content-type');
    return {
      status,
      headers: headers.map(([name, header]) => this.#header(name, this.#documents.followed(header))),
      contents: this.#contents(at),
      told: { description: '', ...only(at.value, ['description']) },
    };
  }

  #parameter(at: Located, path: string): ContractParameter | undefined {
    const { name, in: place, required, style, explode } = (at.value ?? {}) as Json;
    if (typeof name !== 'string' || !isPlace(place)) {
      throw problemAt(at, 'a parameter has a `name`, and `in` says where it stands: path, query, header or cookie');
    }
    if (place === 'header' && otherwise.has(name.toLowerCase())) return undefined;
    if (place === 'path' && !path.includes(`{${name}}`)) {
      throw problemAt(at, `the path ${path} has no {${name}}`);
    }
    const written = typeof style === 'string' ? style : place === 'query' || place === 'cookie' ? 'form' : 'simple';
    return {
      name,
      in: place,
      required: required === true || place === 'path',
      style: written,
      explode: typeof explode === 'boolean' ? explode : written === 'form',
      ...this.#described(at),
      told: only(at.value, ['description', 'deprecated', 'allowEmptyValue']),
    };
  }

  #header(name: string, at: Located): ContractHeader {
    const { required, explode } = (at.value ?? {}) as Json;
    return {
      name,
      required: required === true,
      explode: explode === true,
      ...this.#described(at),
      told: only(at.value, ['description', 'deprecated']),
    };
  }

  /** A schema, or the one content that the text is. */
  #described(at: Located): { readonly mediaType: string | undefined; readonly schema: unknown } {
    const [content] = this.#contents(at);
    if (content) return { mediaType: content.mediaType, schema: content.schema };
    const schema = childOf(at, 'schema');
    return { mediaType: undefined, schema: schema.value === undefined ? true : this.#schemas.read(schema) };
  }

  #contents(owner: Located): readonly ContractContent[] {
    return entriesOf(childOf(owner, 'content')).map(([mediaType, written]) => {
      const at = this.#documents.followed(written);
      const schema = childOf(at, 'schema');
      return {
        mediaType: mediaType.toLowerCase().trim(),
        schema: schema.value === undefined ? undefined : this.#schemas.read(schema),
        told: only(at.value, ['example']),
      };
    });
  }
}

const isPlace = (place: unknown): place is ParameterPlace => typeof place === 'string' && places.includes(place);

/** Of what an object says, that under these keys. */
function only(value: unknown, keys: readonly string[]): Json {
  const all = (typeof value === 'object' && value !== null ? value : {}) as Json;
  return Object.fromEntries(keys.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]])));
}
