/** What is valid JSONata and surely, or most probably, means something else. */
import type { Finding } from '../core/written.ts';
import type { Expression } from '../expression/expression.ts';
import { holes } from '../expression/holes.ts';
import { nearest } from '../schema/nearest.ts';
import { oddityFindings } from './oddity-findings.ts';

type Found = Omit<Finding, 'pointer'> & { readonly offset: number };

/** What is known of a flow's messages before they come. */
export interface Known {
  readonly config: Readonly<Record<string, unknown>>;
  readonly secretNames: readonly string[];
  /** What `$params` has; `undefined` where nobody knows. */
  readonly params: readonly string[] | undefined;
  declaredFields(): ReadonlySet<string>;
}

const warning = { severity: 'warning', code: 'expression' } as const;

export function expressionFindings(expression: Expression, known: Known): readonly Found[] {
  const { variables } = expression;
  const fields = ['params', 'headers', 'response'].some((name) => variables.has(name)) ? expression.fields() : [];
  const found = fields.flatMap(({ variable, offset, names }) => {
    if (!variables.has(variable)) return [];
    const [first, second] = names;
    if (variable === 'params') return first ? unknownParameter(first, known.params) : [];
    if (variable === 'headers') return first ? badHeader(expression.source, offset, first) : [];
    return variable === 'response' && first?.name === 'headers' && second
      ? badHeader(expression.source, offset, second)
      : [];
  });
  const isField = (name: string): boolean => known.declaredFields().has(name);
  return [
    ...expression.warnings.map(({ message, offset }) => ({ ...warning, message, offset })),
    ...found,
    ...configFindings(expression.source, known),
    ...foreignRoot(expression, known),
    ...oddityFindings(expression.oddities(), isField),
  ];
}

interface Field {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

function unknownParameter({ name, start, end }: Field, params: readonly string[] | undefined): readonly Found[] {
  if (params === undefined || params.includes(name)) return [];
  const suggestion = params.length === 1 ? params[0] : nearest(name, params);
  const hint =
    suggestion !== undefined
      ? `; did you mean \`${suggestion}\`?`
      : params.length > 0
        ? `; it has ${params.map((one) => `\`{${one}}\``).join(', ')}`
        : `: it has none; a parameter is written \`{${name}}\``;
  const message = `The path of this flow has no parameter \`${name}\`${hint}`;
  return [{ severity: 'error', code: 'unknown-parameter', message, offset: start, length: end - start, suggestion }];
}

/** `$headers.content-type` is a subtraction, and `$headers.Accept` is never there. */
function badHeader(source: string, offset: number, { name, start, end }: Field): readonly Found[] {
  const quoted = source.slice(start, end).includes('`');
  const rest = quoted ? '' : (/^(?:-[A-Za-z]\w*)+/.exec(source.slice(end))?.[0] ?? '');
  const meant = `${name}${rest}`.toLowerCase();
  if (meant === name) return [];
  const suggestion = `${source.slice(offset, start)}${/^[a-z_]\w*$/.test(meant) ? meant : `\`${meant}\``}`;
  const written = source.slice(offset, end + rest.length);
  const why =
    rest === '' ? 'header names are lower-case here' : '`-` subtracts: a name that has one stands in backquotes';
  const message = `\`${written}\` is no header: ${why}`;
  return [{ severity: 'error', code: 'bad-header-name', message, offset, length: written.length, suggestion }];
}

function configFindings(source: string, { config, secretNames }: Known): readonly Found[] {
  return [...source.matchAll(/(\$config\.)([A-Za-z_][A-Za-z0-9_]*)/g)].flatMap((match): readonly Found[] => {
    const [, before = '', name = ''] = match;
    if (Object.hasOwn(config, name)) return [];
    const suggestion = secretNames.includes(name) ? undefined : nearest(name, Object.keys(config));
    const message = secretNames.includes(name)
      ? `\`${name}\` is secret: expressions cannot see it. Give it to an endpoint, as \`\${${name}}\``
      : `\`$config\` has no \`${name}\`${suggestion ? `; did you mean \`${suggestion}\`?` : `; declare it under \`config:\`, as \`${name}: {}\``}`;
    const offset = match.index + before.length;
    return [
      {
        severity: 'error',
        code: 'unknown-config',
        message,
        offset,
        length: name.length,
        ...(suggestion ? { suggestion } : {}),
      },
    ];
  });
}

const roots =
  /^\s*((body|env|secrets|process\.env|req(?:uest)?\.body|msg\.payload|message\.(?:body|payload)|github\.event|this)\.)([A-Za-z_]\w*)/;

/**
 * Roots of other systems where an expression begins: `body.name` here is the field `name` of a field `body`. Only a
 * warning, as there may be such a field; `$.body.name` says that there is.
 */
function foreignRoot({ source }: Expression, known: Known): readonly Found[] {
  const match = roots.exec(source);
  const [, before = '', root = '', name = ''] = match ?? [];
  if (!match || known.declaredFields().has(root)) return [];
  const offset = match[0].length - name.length - before.length;
  const finding = { severity: 'warning', code: 'foreign-root', offset, length: before.length + name.length } as const;
  const field = `Where the body has a field \`${root}\`, write \`$.${root}.${name}\``;
  if (!/(?:env|secrets)$/.test(root)) {
    return [{ ...finding, message: `\`$\` is the body itself: write \`${name}\`. ${field}`, suggestion: name }];
  }
  const declared = Object.hasOwn(known.config, name);
  const secret = root === 'secrets' || known.secretNames.includes(name);
  const how = secret
    ? `A secret is declared under \`config:\` as \`${name}: { secret: true }\`, and goes into the options of an endpoint as \`\${${name}}\``
    : `What comes from outside is declared under \`config:\`, and is \`$config.${name}\` here`;
  return [
    {
      ...finding,
      message: `\`${root}\` is a field of the body here. ${how}. ${field}`,
      ...(declared && !secret ? { suggestion: `$config.${name}` } : {}),
    },
  ];
}

type Path = readonly (string | number)[];

/** `{{ name }}` in a template, which is text. */
export function textFindings(value: unknown, path: Path = []): readonly (Found & { readonly path: Path })[] {
  if (typeof value === 'string')
    return [...handlebars(value), ...bareExpression(value)].map((found) => ({ ...found, path }));
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => textFindings(item, [...path, index]));
  return Object.entries(value).flatMap(([key, item]) => textFindings(item, [...path, key]));
}

/** `$found.price` in a template, which is text: expressions are written so where they stand alone. */
function bareExpression(text: string): readonly Found[] {
  const written = text.trim();
  if (!/^\$(?:[a-zA-Z]\w*)?(?:\.[A-Za-z_`]|[[(]|(?<=^\$(?:headers|params|query|source|error))$)/.test(written))
    return [];
  if (/\s[A-Za-z]+\s[A-Za-z]+\s/.test(written)) return [];
  const suggestion = `\${{ ${written} }}`;
  const message = `\`${written}\` is text, and goes out as it stands: a hole is written \`${suggestion}\``;
  return [{ severity: 'warning', code: 'text-not-hole', message, offset: 0, length: text.length, suggestion }];
}

function handlebars(text: string): readonly Found[] {
  if (!text.includes('{{')) return [];
  const inside = holes(text);
  return [...text.matchAll(/(?<![${])\{\{\s*([\w$.]+)\s*\}\}(?!\})/g)].flatMap((match): readonly Found[] => {
    const [written] = match;
    if (inside.some((hole) => hole.start <= match.index && match.index < hole.end)) return [];
    return [
      {
        severity: 'warning',
        code: 'text-not-hole',
        message: `\`${written}\` is text, and goes out as it stands: a hole is written \`$${written}\``,
        offset: match.index,
        length: written.length,
        suggestion: `$${written}`,
      },
    ];
  });
}
