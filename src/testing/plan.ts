/** What a test says, checked against the integration that it is about, its expressions compiled. */
import type { IntegrationSource, Report } from '../core/written.ts';
import { childPointer } from '../schema/node.ts';
import type { ConnectorDefinition } from '../sdk.ts';
import type { EndpointsSource, TestFileSource } from './language.ts';
import { type AnswerPlan, planAnswers } from './plan-answers.ts';
import { type ExpectPlan, planExpectations } from './plan-expectations.ts';
import { planSends, type SendPlan } from './plan-sends.ts';
import { unknownName } from './unknown-name.ts';

export type { AnswerPlan, ExpectPlan, SendPlan };

export interface TestPlan {
  readonly name: string;
  /** JSON pointer in the test file. */
  readonly pointer: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly seed: number;
  readonly sends: readonly SendPlan[];
  /** By endpoint. */
  readonly answers: ReadonlyMap<string, readonly AnswerPlan[]>;
  readonly expect: ExpectPlan;
}

/** What plans are made against. */
export interface PlanWorld {
  readonly integration: IntegrationSource;
  readonly connectors: Readonly<Record<string, ConnectorDefinition>>;
  /** Throws an Error with a readable message when the schema itself is wrong. */
  readonly jsonSchema: (
    schema: unknown,
  ) => (value: unknown) => readonly { readonly pointer: string; readonly message: string }[];
  readonly report: Report;
}

const usualNow = Date.UTC(2026, 0, 1);

/** All tests of a file; what is wrong is reported. */
export function planTests(file: TestFileSource, world: PlanWorld): readonly TestPlan[] {
  const shared = endpointPlans(file.endpoints, '/endpoints', world);
  const fileNow = momentOf(file.now, '/now', world.report) ?? usualNow;
  return file.tests.map((test, index): TestPlan => {
    const pointer = `/tests/${index}`;
    const own = endpointPlans(test.endpoints, `${pointer}/endpoints`, world);
    return {
      name: test.name,
      pointer,
      now: momentOf(test.now, `${pointer}/now`, world.report) ?? fileNow,
      seed: file.seed,
      sends: planSends(test.send, `${pointer}/send`, world),
      answers: new Map([...shared, ...own]),
      expect: planExpectations(test, `${pointer}/expect`, world),
    };
  });
}

function endpointPlans(
  endpoints: EndpointsSource | undefined,
  pointer: string,
  world: PlanWorld,
): ReadonlyMap<string, readonly AnswerPlan[]> {
  const plans = new Map<string, readonly AnswerPlan[]>();
  for (const [name, answers] of Object.entries(endpoints ?? {})) {
    const at = childPointer(pointer, name);
    if (!Object.hasOwn(world.integration.endpoints, name)) {
      world.report(unknownName('endpoint', name, Object.keys(world.integration.endpoints), at, 'key'));
      continue;
    }
    plans.set(name, planAnswers(answers, at, world.report));
  }
  return plans;
}

function momentOf(text: string | undefined, pointer: string, report: Report): number | undefined {
  if (text === undefined) return undefined;
  const zoned = /T.*(Z|[+-]\d{2}:?\d{2})$/.test(text) || !text.includes('T') ? text : `${text}Z`;
  const ms = Date.parse(zoned);
  if (!Number.isNaN(ms)) return ms;
  const message = `\`now\` must be a date and time such as \`2026-01-01T00:00:00Z\`; found ${JSON.stringify(text)}`;
  report({ severity: 'error', code: 'wrong-value', pointer, message });
  return undefined;
}
