import type { Finding } from '../core/written.ts';

/** What is wrong about a step that keeps messages where none come in. `pointer`: of the step. */
export function noSource(pointer: string): Pick<Finding, 'code' | 'at' | 'message'> {
  const kind = pointer.slice(pointer.lastIndexOf('/') + 1);
  return {
    code: 'no-source',
    at: 'key',
    message: `\`${kind}\` keeps messages that go on later, and a sub-flow cannot: nobody waits for it then. Move it to a flow with a \`from\``,
  };
}
