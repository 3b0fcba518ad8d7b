/** What can be said about a CSV file, for it says nothing itself. */

export interface CsvOptions {
  readonly header?: boolean | undefined;
  readonly delimiter?: string | undefined;
  readonly quote?: string | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly escapeFormulas?: boolean | undefined;
}

const oneSign = { type: 'string', pattern: '^[^\\r\\n]$', patternText: 'one character' } as const;

export const csvOptions = {
  type: 'object',
  properties: {
    header: {
      type: 'boolean',
      default: true,
      description:
        'The first row has the names of the columns, and each row is a map by them. `false`: rows are lists; with `columns` they are maps.',
    },
    delimiter: { ...oneSign, default: ',', description: 'Between two fields.', examples: [';', '\t'] },
    quote: {
      ...oneSign,
      default: '"',
      description: 'Around a field that has a delimiter, a line end or a quote in it; a quote inside is written twice.',
    },
    columns: {
      type: 'array',
      items: { type: 'string', pattern: '.', patternText: 'text that is not empty' },
      minItems: 1,
      description:
        'Names of the columns. Reading with a header: those that must be there. Reading without: the names of the fields, in order. Writing: what is written, in this order; all fields when absent.',
      examples: [['sku', 'quantity']],
    },
    escapeFormulas: {
      type: 'boolean',
      default: false,
      description:
        "When writing, put a `'` before a text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return, which a spreadsheet would run as a formula.",
    },
  },
} as const;

/** What is wrong about them together, if anything. */
export function csvProblem(
  options: CsvOptions | undefined,
): { readonly at: string; readonly message: string } | undefined {
  const { delimiter = ',', quote = '"', columns } = options ?? {};
  if (delimiter === quote) {
    return { at: 'delimiter', message: `\`delimiter\` and \`quote\` are the same character \`${quote}\`` };
  }
  const twice = columns?.findIndex((name, index) => columns.indexOf(name) !== index) ?? -1;
  if (twice >= 0) return { at: `columns/${twice}`, message: `The column \`${columns?.[twice]}\` stands here twice` };
  if (columns?.includes('__proto__')) {
    return { at: `columns/${columns.indexOf('__proto__')}`, message: 'No column can be called `__proto__`' };
  }
  return undefined;
}
