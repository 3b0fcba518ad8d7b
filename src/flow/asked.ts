import type { Services } from '../core/exchange.ts';
import { compileExpression } from '../expression/expression.ts';
import type { SourceContext } from '../sdk.ts';

/** Expressions that a source asks of a message that is none yet. */
export const asked =
  ({ clock, random, config }: Services): SourceContext['expression'] =>
  ({ text }) => {
    const expression = compileExpression(text);
    return (seen) =>
      expression.evaluate({
        body: () => undefined,
        variable: (name) => (name === 'config' ? config : seen[name]),
        now: () => clock.now(),
        random: () => random.next(),
        uuid: () => random.uuid(),
      });
  };
