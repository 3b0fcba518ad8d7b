import { failure, type Source, type SourceContext } from '#sdk';
import type { NatsSourceOptions } from './definition.ts';

export async function openSource(options: NatsSourceOptions, context: SourceContext): Promise<Source> {
  const { stream, subjects } = options;
  if (stream !== undefined) {
    const { openStreamSource } = await import('./stream-source.ts');
    return openStreamSource({ ...options, stream }, context);
  }
  if (!subjects) throw failure('bug', { detail: 'a source of nats has neither `stream` nor `subjects`' });
  const { openSubjectSource } = await import('./subject-source.ts');
  return openSubjectSource({ ...options, subjects }, context);
}
