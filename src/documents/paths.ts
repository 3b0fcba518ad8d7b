type Json = Readonly<Record<string, unknown>>;

/** Operations by path and method. */
export class Paths {
  readonly all: Record<string, Record<string, unknown>> = {};
  readonly #templates = new Map<string, string>();
  readonly #ids = new Set<string>();

  /** Two templates in the same place are one path, whatever their parameters are called; no two operations have one id. */
  add(written: string, method: string, operation: Json): void {
    const own = written.replaceAll(/\{([\w.-]+)\+\}/g, '{$1}');
    const place = own.replaceAll(/\{[^}]+\}/g, '{}');
    const path = this.#templates.get(place) ?? own;
    this.#templates.set(place, path);
    const item = this.all[path] ?? {};
    this.all[path] = item;
    const wanted = String(operation['operationId']);
    let operationId = wanted;
    for (let nth = 2; this.#ids.has(operationId); nth += 1) operationId = `${wanted}-${nth}`;
    this.#ids.add(operationId);
    item[method.toLowerCase()] = { ...renamed(operation, namesIn(own), namesIn(path)), operationId };
  }
}

const namesIn = (path: string): readonly string[] => [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => name);

function renamed(operation: Json, from: readonly string[], to: readonly string[]): Json {
  const { parameters } = operation;
  if (!Array.isArray(parameters)) return operation;
  return {
    ...operation,
    parameters: parameters.map((one: Json) => {
      const at = one['in'] === 'path' ? from.indexOf(String(one['name'])) : -1;
      return at < 0 ? one : { ...one, name: to[at] };
    }),
  };
}
