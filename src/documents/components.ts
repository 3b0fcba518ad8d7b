import { type Contract, refName } from '../core/contract.ts';

type Json = Readonly<Record<string, unknown>>;

const prefix = '#/components/schemas/';

/** The schemas of a document, each under a name of its own; what refers to others refers to them here. */
export class Components {
  readonly schemas: Record<string, unknown> = {};
  readonly #names = new Map<string, string>();

  /** A schema of a contract, where its `#/$defs/…` mean what they mean there. */
  fromContract(schema: unknown, contract: Contract): unknown {
    return rewritten(schema, (ref) => {
      const name = refName(ref);
      if (name === undefined) return ref;
      const key = `${contract.path}#${name}`;
      return prefix + this.#named(key, name, () => this.fromContract(contract.schemas[name] ?? true, contract));
    });
  }

  /** A whole JSON Schema, whose references point into itself. */
  own(key: string, wanted: string, schema: unknown): Json {
    const name = this.#named(key, wanted, (own) =>
      rewritten(withoutIdentity(schema), (ref) => (ref.startsWith('#') ? `${prefix}${own}${ref.slice(1)}` : ref)),
    );
    return { $ref: prefix + name };
  }

  #named(key: string, wanted: string, make: (name: string) => unknown): string {
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const plain = wanted.replaceAll(/[^\w.-]+/g, '_') || 'schema';
    let name = plain;
    for (let nth = 2; Object.hasOwn(this.schemas, name); nth += 1) name = `${plain}_${nth}`;
    this.#names.set(key, name);
    // Before its inside is made, which may refer to it.
    this.schemas[name] = true;
    this.schemas[name] = make(name);
    return name;
  }
}

/** In the document it has another place than the one that it says of itself. */
function withoutIdentity(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema;
  const { $schema: _, $id: __, ...rest } = schema as Json;
  return rest;
}

function rewritten(value: unknown, rename: (ref: string) => string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => rewritten(one, rename));
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === '$ref' && typeof one === 'string' ? rename(one) : rewritten(one, rename),
    ]),
  );
}
