import { Body } from '../core/body.ts';
import { type Exchange, noHeaders } from '../core/exchange.ts';
import { Life } from '../core/life.ts';
import type { StepSource } from '../core/written.ts';
import { Failure, failure, toFailure } from '../errors.ts';
import { type CsvOptions, csvProblem } from '../format/index.ts';
import { recordFormats } from '../format/record-formats.ts';
import type { Schema } from '../schema/schema.ts';
import { type Batch, batches } from './parts/records.ts';
import { type CompileContext, defineStep } from './step.ts';

const names = recordFormats.map((format) => format.name);
const formatOptions: Readonly<Record<string, Schema>> = Object.fromEntries(
  recordFormats.flatMap(({ name, options }) =>
    options ? [[name, { description: `Options of \`by: ${name}\`.`, ...(options as Schema) }]] : [],
  ),
);

/** Failed parts that are named in the result. */
const mostErrors = 100;

interface Options {
  readonly by: string;
  readonly as?: string;
  readonly batch?: number;
  readonly steps: readonly StepSource[];
  readonly parallel: number;
  readonly onError: 'fail' | 'skip';
  readonly maxPart: number;
}

export const split = defineStep({
  name: 'split',
  pattern: 'Splitter',
  summary:
    'Runs its steps for each record of a body that may be larger than memory: it is read piece by piece. Then the body says how many there were.',
  options: {
    type: 'object',
    properties: {
      by: {
        type: 'string',
        enum: names,
        description:
          'What a record is: a row of CSV, a line with JSON, an element of a JSON list, an XML element, or a line of text.',
      },
      ...formatOptions,
      as: {
        type: 'string',
        format: 'name',
        description: 'Names the record inside: `$name`. It is the body there anyway.',
      },
      batch: {
        type: 'integer',
        minimum: 1,
        maximum: 10_000,
        description:
          'So many records at a time: the body inside is a list of them. Without it each is a round of its own.',
      },
      steps: {
        kind: 'steps',
        description: 'One round. `$source.part` has the `index` of its record, from 0, and the `line` where it begins.',
      },
      parallel: { type: 'integer', minimum: 1, maximum: 1000, default: 1, description: 'Rounds at the same time.' },
      onError: {
        type: 'string',
        enum: ['fail', 'skip'],
        default: 'fail',
        description:
          '`fail`: the first error ends the message. `skip`: a record that cannot be read, and a round that fails for good, is counted and named in `errors`, and a warning is logged; an error that may pass (`transient` …) ends the message all the same.',
      },
      maxPart: {
        type: 'string',
        format: 'size',
        default: '1mb',
        minimum: 1,
        maximum: 16 * 1024 ** 2,
        description:
          'The longest record, in characters: so much must be in memory. A longer one is the error `malformed`.',
      },
    },
    required: ['by', 'steps'],
  } as Schema,
  compile(read, context) {
    const options = read as Options;
    const given = (read as Readonly<Record<string, unknown>>)[options.by];
    const format = recordFormats.find(({ name }) => name === options.by);
    checkOptions(read as Readonly<Record<string, unknown>>, options.by, context);
    context.body.take('piecewise');
    const { as, parallel, onError } = options;
    let round: ReturnType<typeof context.steps> | undefined;
    context.inner(as === undefined ? [] : [as], () => {
      if (as !== undefined) context.declare(as, 'as');
      context.body.replace();
      round = context.steps(options.steps, { noReply: 'a round of `split` is one record of many', repeated: true });
    });
    context.body.replace();
    // Only an integration with findings has none, and it never runs.
    if (!format) return async (exchange) => exchange;
    const rules = { format, options: given, batch: options.batch ?? 1, longest: options.maxPart };

    return async (exchange) => {
      const life = new Life(exchange.life.clock, { parent: exchange.life });
      const result = new Result(exchange, context.title);
      const failed = (thrown: unknown, part: Part): void => {
        const error = locatedIn(toFailure(thrown), part);
        // What may pass is no reason to leave something out: the message fails, and comes again where its source keeps it.
        if (onError === 'fail' || life.aborted || error.kind !== 'permanent') throw error;
        result.skip(error, part);
      };
      const one = async ({ index, records }: Batch): Promise<void> => {
        life.check();
        result.parts += records.length;
        const values = records.flatMap((record, nth) => {
          if (!record.problem) return [record.value];
          failed(record.problem, { index: index + nth, line: record.line });
          return [];
        });
        const [first] = records;
        if (values.length === 0 || !first) return;
        const part: Part = {
          index,
          line: first.line,
          ...(options.batch === undefined ? {} : { count: values.length }),
        };
        const value = options.batch === undefined ? values[0] : values;
        const start = exchange.with({
          life,
          position: `${exchange.position}[${index}]`,
          body: Body.value(value),
          ownHeaders: noHeaders,
          origin: { ...exchange.origin, source: { ...exchange.origin.source, part } },
        });
        try {
          const end = await round?.handler(as === undefined ? start : start.withVariable(as, value));
          end?.body.discard();
        } catch (thrown) {
          failed(thrown, part);
        }
      };
      try {
        await eachBatch(batches(exchange, life, rules), parallel, life, one);
      } finally {
        life.end();
      }
      return exchange.withBody(Body.value(result.value));
    };
  },
});

interface Part {
  readonly index: number;
  readonly line: number;
  /** Of a batch. */
  readonly count?: number;
}

/** Takes the next batch as soon as there is room; the first error ends it, once all that started have settled. */
async function eachBatch(
  source: AsyncGenerator<Batch>,
  parallel: number,
  life: Life,
  work: (batch: Batch) => Promise<void>,
): Promise<void> {
  let broken: { readonly thrown: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (!broken) {
      try {
        const next = await source.next();
        if (next.done) return;
        await work(next.value);
      } catch (thrown) {
        broken ??= { thrown };
        life.abort(failure('aborted', { detail: 'another round had failed' }, { cause: thrown }));
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: parallel }, lane));
  } finally {
    await source.return(undefined);
  }
  if (broken) throw broken.thrown;
}

/** What became of all the records. */
class Result {
  parts = 0;
  #failed = 0;
  readonly #errors: {
    readonly index: number;
    readonly line: number;
    readonly code: string;
    readonly message: string;
  }[] = [];
  readonly #exchange: Exchange;
  readonly #title: string;

  constructor(exchange: Exchange, title: string) {
    this.#exchange = exchange;
    this.#title = title;
  }

  get value(): unknown {
    const errors = this.#errors.toSorted((a, b) => a.index - b.index);
    return { parts: this.parts, failed: this.#failed, errors };
  }

  skip({ code, message, place }: Failure, { index, line, count = 1 }: Part): void {
    this.#failed += count;
    if (this.#errors.length >= mostErrors) return;
    this.#errors.push({ index, line, code, message });
    const { named, services } = this.#exchange;
    const facts = { ...named, place: place ?? this.#title, index, line, code, detail: message };
    services.log.warn('a part of split failed and was skipped', facts);
    if (this.#errors.length === mostErrors) {
      services.log.warn('further failed parts of this message are only counted', named);
    }
  }
}

/** The same error, with the place in the body; the reader of a format has said it already. */
function locatedIn(error: Failure, { index, line }: Part): Failure {
  const { code, kind, status, message, facts } = error;
  const text = message.includes(`line ${line}`) ? message : `${message} (line ${line})`;
  const located = new Failure(code, kind, status, text, { ...facts, index, line }, error.cause ?? error, error.shown);
  located.place = error.place;
  located.outcome = error.outcome;
  located.doubtful = error.doubtful;
  return located;
}

function checkOptions(options: Readonly<Record<string, unknown>>, by: string, context: CompileContext): void {
  for (const { name, options: has } of recordFormats) {
    if (has && name !== by && options[name] !== undefined) {
      const message = `The options of \`${name}\` have no effect: this step goes \`by: ${by}\``;
      context.report(name, { code: 'unused-option', at: 'key', message });
    }
  }
  if (by === 'xmlElement' && options[by] === undefined) {
    const message = 'Which elements? Name them: `xmlElement: { name: item }`';
    context.report('by', { code: 'missing-key', message });
  }
  const csv = by === 'csv' ? csvProblem(options[by] as CsvOptions | undefined) : undefined;
  if (csv) context.report(`csv/${csv.at}`, { code: 'impossible', message: csv.message });
}
