import type { Report } from '../core/written.ts';
import { errorTable, type Kind } from '../errors.ts';
import type { Expression } from '../expression/expression.ts';
import type { Template } from '../expression/template.ts';
import { nearest } from '../schema/nearest.ts';
import { listed } from '../schema/wording.ts';
import { expressionOf, templateOf } from './expressions.ts';
import type { AnswerSource } from './language.ts';

/** One answer of an endpoint's stand-in. */
export interface AnswerPlan {
  readonly pointer: string;
  readonly when: Expression | undefined;
  readonly times: number;
  /** Milliseconds. */
  readonly delay: number;
  readonly does:
    | {
        readonly is: 'reply';
        readonly status: Template;
        readonly headers: Template | undefined;
        readonly body: Template | undefined;
        readonly text: Template | undefined;
      }
    | { readonly is: 'fail'; readonly code: string; readonly kind: Kind | undefined; readonly facts: object }
    | { readonly is: 'hang' };
}

const kinds = ['reply', 'fail', 'hang'] as const;

export function planAnswers(answers: readonly AnswerSource[], pointer: string, report: Report): readonly AnswerPlan[] {
  return answers.map((answer, index) => planAnswer(answer, `${pointer}/${index}`, report));
}

function planAnswer(answer: AnswerSource, pointer: string, report: Report): AnswerPlan {
  const given = kinds.filter((kind) => answer[kind] !== undefined);
  const [first, second] = given;
  if (first === undefined) {
    const message = 'An answer needs one of `reply`, `fail` or `hang`; `reply: {}` says that it is done';
    report({ severity: 'error', code: 'missing-kind', at: 'key', pointer, message });
  }
  if (second !== undefined) {
    const message = `Only one of ${listed(given, 'and')} may stand here`;
    report({ severity: 'error', code: 'two-kinds', at: 'key', pointer: `${pointer}/${second}`, message });
  }
  return {
    pointer,
    when: answer.when && expressionOf(answer.when, [], report),
    // Who names the calls means all of them: a retry of the first must not get what is meant for others.
    times: answer.times ?? (answer.when ? Number.POSITIVE_INFINITY : 1),
    delay: answer.delay ?? 0,
    does: doing(answer, pointer, report),
  };
}

function doing(answer: AnswerSource, pointer: string, report: Report): AnswerPlan['does'] {
  const { reply, fail, hang } = answer;
  if (fail !== undefined) return failing(fail, `${pointer}/fail`, report);
  if (hang === false) {
    const message = '`hang` is `true`, or not there at all';
    report({ severity: 'error', code: 'wrong-value', pointer: `${pointer}/hang`, message });
  }
  if (!reply) return { is: 'hang' };
  if (reply.body && reply.text) {
    const message = 'Only one of `body` and `text` may stand here';
    report({ severity: 'error', code: 'two-kinds', at: 'key', pointer: `${pointer}/reply/text`, message });
  }
  const compiled = (source: typeof reply.body): Template | undefined => source && templateOf(source, [], report);
  return {
    is: 'reply',
    status: templateOf(reply.status, [], report),
    headers: compiled(reply.headers),
    body: compiled(reply.body),
    text: compiled(reply.text),
  };
}

function failing(fail: NonNullable<AnswerSource['fail']>, pointer: string, report: Report): AnswerPlan['does'] {
  const { code, kind, facts } =
    typeof fail === 'string' ? { code: fail, kind: undefined, facts: undefined } : { facts: undefined, ...fail };
  const known = Object.keys(errorTable);
  if (kind === undefined && !known.includes(code) && !/^http-[1-5]\d\d$/.test(code)) {
    const suggestion = nearest(code, known);
    const hint = suggestion === undefined ? '' : `; did you mean \`${suggestion}\`?`;
    const message = `Dowel knows no error \`${code}\`${hint || '. For one of your own write its `kind` too'}`;
    const at = typeof fail === 'string' ? pointer : `${pointer}/code`;
    report({ severity: 'error', code: 'unknown-code', pointer: at, message, suggestion });
  }
  return { is: 'fail', code, kind, facts: (facts ?? {}) as object };
}
