import { Life } from '../core/life.ts';
import { toFailure } from '../errors.ts';
import { defaultUndo, undo } from './parts/undo.ts';
import { defineStep } from './step.ts';

export const saga = defineStep({
  name: 'saga',
  pattern: 'Process Manager',
  summary:
    'Runs steps all of which count, or none: when one fails, what those before it did is undone by their `compensate`, the latest first. Survives a crash.',
  options: {
    type: 'object',
    properties: {
      steps: { kind: 'steps', description: 'Run in order; each that changes something outside has its `compensate`.' },
      undo: {
        type: 'object',
        description:
          'How patiently an undo that fails for a moment is tried again. Then somebody must look: it is parked.',
        properties: {
          maxAttempts: {
            type: 'integer',
            minimum: 1,
            maximum: 1000,
            default: defaultUndo.maxAttempts,
            description: 'Attempts in total.',
          },
          delay: {
            type: 'string',
            format: 'duration',
            default: '500ms',
            description: 'Before the second attempt, at most; doubled each time, with full jitter.',
          },
          maxDelay: { type: 'string', format: 'duration', default: '10s', description: 'The longest pause.' },
        },
      },
    },
    required: ['steps'],
  },
  compile(options, context) {
    context.makeDurable();
    const inside = context.steps(options.steps, { undo: 'wanted' });
    const how = options.undo ?? defaultUndo;
    return {
      ends: inside.ends,
      handler: async (exchange) => {
        const outer = exchange.life;
        const life = new Life(outer.clock, { parent: outer, scope: true });
        try {
          const next = await inside.handler(exchange.withLife(life));
          life.dropUndo();
          return next?.withLife(outer);
        } catch (thrown) {
          if (life.suspended) throw thrown;
          const error = toFailure(thrown);
          await undo(exchange.withLife(life), error, how);
          throw error;
        } finally {
          life.end();
        }
      },
    };
  },
});
