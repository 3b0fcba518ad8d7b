import { ExpressionSource, type StepSource, TemplateSource } from '../../core/written.ts';
import { formatDuration } from '../../schema/units.ts';

const longest = 48;

/** On one line, not wider than a node should be. */
export function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  const signs = [...line];
  return signs.length <= longest ? line : `${signs.slice(0, longest - 1).join('')}…`;
}

export const optionsOf = (step: StepSource): Readonly<Record<string, unknown>> =>
  typeof step.options === 'object' && step.options !== null ? (step.options as Record<string, unknown>) : {};

/** What stands in an option, as the file has it; `undefined` for what does not fit on a line. */
export function written(option: unknown): string | undefined {
  if (option instanceof ExpressionSource) return short(option.text);
  const value = option instanceof TemplateSource ? option.value : option;
  if (typeof value === 'string') return short(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** The option that says most about a step without a name. */
const telling: Readonly<Record<string, string>> = {
  aggregate: 'by',
  cache: 'key',
  call: 'endpoint',
  convert: 'to',
  fail: 'code',
  idempotent: 'key',
  log: 'message',
  resequence: 'by',
  respond: 'status',
  run: 'flow',
  script: 'export',
  send: 'endpoint',
  split: 'by',
};

/** What a contract calls the operation of a call. */
function operationOf(step: StepSource): string | undefined {
  const { options } = (optionsOf(step)['connector'] ?? {}) as { readonly options?: unknown };
  const { operation } = (options ?? {}) as { readonly operation?: unknown };
  return typeof operation === 'string' ? operation : undefined;
}

/** How a step is called in the picture: its name, else its kind and what it is about. */
export function textOf(step: StepSource): string {
  if (step.name !== undefined) return short(step.name);
  if (step.kind === 'delay') {
    const ms = optionsOf(step)['for'];
    return typeof ms === 'number' ? `delay ${formatDuration(ms)}` : 'delay';
  }
  if (step.kind === 'sample') {
    const { every, per } = optionsOf(step);
    return typeof per === 'number' ? `one per ${formatDuration(per)}` : `one of ${every}`;
  }
  const about = written(optionsOf(step)[telling[step.kind] ?? '']);
  const operation = operationOf(step);
  if (about !== undefined && operation !== undefined) return short(`${step.kind} ${about} ${operation}`);
  return about === undefined || about === 'default' ? step.kind : short(`${step.kind} ${about}`);
}
