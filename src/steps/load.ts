import type { StepDefinition } from './step.ts';

/** Every step by its key in the file, in the order of the reference. To add one: write its file, list it here, `npm run generate`. */
const files: Readonly<Record<string, () => Promise<unknown>>> = {
  transform: async () => (await import('./transform.ts')).transform,
  set: async () => (await import('./set.ts')).set,
  convert: async () => (await import('./convert.ts')).convert,
  validate: async () => (await import('./validate.ts')).validate,
  log: async () => (await import('./log.ts')).log,
  call: async () => (await import('./call.ts')).call,
  send: async () => (await import('./send.ts')).send,
  respond: async () => (await import('./respond.ts')).respond,
  switch: async () => (await import('./switch.ts')).switchStep,
  filter: async () => (await import('./filter.ts')).filter,
  forEach: async () => (await import('./for-each.ts')).forEach,
  split: async () => (await import('./split.ts')).split,
  scatterGather: async () => (await import('./scatter-gather.ts')).scatterGather,
  aggregate: async () => (await import('./aggregate.ts')).aggregate,
  resequence: async () => (await import('./resequence.ts')).resequence,
  recipientList: async () => (await import('./recipient-list.ts')).recipientList,
  routingSlip: async () => (await import('./routing-slip.ts')).routingSlip,
  wireTap: async () => (await import('./wire-tap.ts')).wireTap,
  loop: async () => (await import('./loop.ts')).loop,
  run: async () => (await import('./run.ts')).run,
  group: async () => (await import('./group.ts')).group,
  saga: async () => (await import('./saga.ts')).saga,
  try: async () => (await import('./try.ts')).tryStep,
  fail: async () => (await import('./fail.ts')).fail,
  stop: async () => (await import('./stop.ts')).stop,
  idempotent: async () => (await import('./idempotent.ts')).idempotent,
  cache: async () => (await import('./cache.ts')).cache,
  claimCheck: async () => (await import('./claim-check.ts')).claimCheck,
  delay: async () => (await import('./delay.ts')).delay,
  throttle: async () => (await import('./throttle.ts')).throttle,
  sample: async () => (await import('./sample.ts')).sample,
  script: async () => (await import('./script.ts')).script,
};

/** The steps whose name is wanted: a start loads no step that its file does not name. */
export async function loadSteps(wanted: (name: string) => boolean): Promise<readonly StepDefinition[]> {
  const loading = Object.entries(files).flatMap(([name, load]) => (wanted(name) ? [load()] : []));
  return (await Promise.all(loading)) as readonly StepDefinition[];
}
