import { aggregate } from './aggregate.ts';
import { cache } from './cache.ts';
import { call } from './call.ts';
import { claimCheck } from './claim-check.ts';
import { convert } from './convert.ts';
import { delay } from './delay.ts';
import { fail } from './fail.ts';
import { filter } from './filter.ts';
import { forEach } from './for-each.ts';
import { group } from './group.ts';
import { idempotent } from './idempotent.ts';
import { log } from './log.ts';
import { loop } from './loop.ts';
import { recipientList } from './recipient-list.ts';
import { resequence } from './resequence.ts';
import { respond } from './respond.ts';
import { routingSlip } from './routing-slip.ts';
import { run } from './run.ts';
import { saga } from './saga.ts';
import { sample } from './sample.ts';
import { scatterGather } from './scatter-gather.ts';
import { script } from './script.ts';
import { send } from './send.ts';
import { set } from './set.ts';
import { split } from './split.ts';
import type { StepDefinition } from './step.ts';
import { stop } from './stop.ts';
import { switchStep } from './switch.ts';
import { throttle } from './throttle.ts';
import { transform } from './transform.ts';
import { tryStep } from './try.ts';
import { validate } from './validate.ts';
import { wireTap } from './wire-tap.ts';

/** Every step, in the order of the reference. To add one: write its file, list it here, `npm run generate`. */
export const steps: readonly StepDefinition[] = [
  transform,
  set,
  convert,
  validate,
  log,
  call,
  send,
  respond,
  switchStep,
  filter,
  forEach,
  split,
  scatterGather,
  aggregate,
  resequence,
  recipientList,
  routingSlip,
  wireTap,
  loop,
  run,
  group,
  saga,
  tryStep,
  fail,
  stop,
  idempotent,
  cache,
  claimCheck,
  delay,
  throttle,
  sample,
  script,
] as readonly StepDefinition[];
