import { systemClock } from '../../core/clock.ts';
import { bodyView, type LetterDetail } from '../../flow/dead-letters/views.ts';
import { exitCode } from '../exit-codes.ts';
import { print, say } from '../output.ts';
import type { Command } from './command.ts';
import { formatOf, takes } from './options.ts';
import { ago, harmless, oneLine } from './text.ts';

export const show: Command = {
  ids: 'one',
  prepare([id = ''], values) {
    takes('show', values, ['body']);
    const format = formatOf(values);
    return async ({ desk }) => {
      if (values.body) {
        process.stdout.write(await desk.body(id));
        return exitCode.done;
      }
      const letter = await desk.show(id);
      if (format === 'json') {
        const body = 'omitted' in letter.body ? bodyView(await desk.body(id)) : letter.body;
        print(`${JSON.stringify({ ...letter, body }, null, 2)}\n`);
        return exitCode.done;
      }
      print(factsOf(letter));
      if ('text' in letter.body) print(letter.size === 0 ? '' : `\n${harmless(letter.body.text)}\n`);
      else {
        const why = 'omitted' in letter.body ? letter.body.omitted : 'it is no text';
        say(`\nThe body is not shown here: ${why}. Add --body for its bytes, as in: … --body > message`);
      }
      return exitCode.done;
    };
  },
};

function factsOf(letter: LetterDetail): string {
  const { type, code, kind, detail, failedAt, receivedAt, version, original, exchange, id, size, contentType } = letter;
  const since = ago(systemClock.now() - Date.parse(failedAt));
  const json = (value: object | undefined): string | undefined =>
    value && Object.keys(value).length > 0 ? JSON.stringify(value) : undefined;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['id', id],
    ['what', type === 'undo' ? 'an effect that must be undone by hand' : undefined],
    ['flow', letter.flow],
    ['failed', `${failedAt} (${since})`],
    ['at', letter.place],
    ['error', `${code} (${kind}): ${detail}`],
    ['attempts', String(letter.attempts)],
    ['received', receivedAt],
    ['version', version],
    [
      'original',
      original && `kept${original.version === undefined ? '' : `, version ${original.version}`}: --with original`,
    ],
    ['exchange', exchange === id ? undefined : exchange],
    ['trace', letter.traceId],
    ['source', json(letter.source)],
    ['params', json(letter.params)],
    ['query', json(letter.query)],
    ['identity', json(letter.identity)],
    ...Object.entries(letter.headers).map(
      ([name, value]) => ['header', `${name}: ${[value].flat().join(', ')}`] as const,
    ),
    ['body', `${size} bytes${contentType === undefined ? '' : ` of ${contentType}`}`],
  ];
  return facts.flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(10)}${oneLine(text)}\n`])).join('');
}
