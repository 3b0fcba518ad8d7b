/** `npm run faults`: every kind of waiting through every fault, with an outside count of what was lost or came twice. */
import { parseArgs } from 'node:util';
import { callFaults, runCalls, titles, usualTimes } from './calls-run.ts';
import { Place, runFaults } from './fault-run.ts';
import { faults } from './faults.ts';
import { subjects } from './subjects.ts';

const usage = `npm run faults -- [options]

Sends messages through an integration that is killed, stopped, reloaded and cut off, and counts outside what was accepted
and what had an effect; and calls one that is reloaded and replaced. Ends with 1 if a message was lost, or came more often
than is promised, or if a request failed. Takes some minutes.

  --only LIST      where messages wait: ${subjects.map(({ name }) => name).join(', ')}; http: nowhere, callers wait
  --fault LIST     what happens: ${faults.map(({ name }) => name).join(', ')}; to http: ${callFaults.join(', ')}
  --messages N     of each run (5000)
  --strikes N      how often each fault strikes (default: ${faults.map(({ name, times }) => `${name} ${times}`).join(', ')};
                   to http: ${callFaults.map((name) => `${name} ${usualTimes[name]}`).join(', ')})
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    fault: { type: 'string' },
    messages: { type: 'string', default: '5000' },
    strikes: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function chosen<T extends { readonly name: string }>(all: readonly T[], names: string | undefined): readonly T[] {
  if (names === undefined) return all;
  return names.split(',').map((name) => {
    const found = all.find((one) => one.name === name.trim());
    if (!found) throw new Error(`there is no ${name}; there are ${all.map((one) => one.name).join(', ')}`);
    return found;
  });
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** The head of a table; all columns behind the first `words` are figures. */
function table(columns: readonly string[], words: number): void {
  const rules = columns.map((_, index) => (index < words ? '---' : '---:'));
  process.stdout.write(`${line(columns)}\n${line(rules)}\n`);
}

/** A subject, or `http`: nothing waits there, callers do. */
const named = [{ name: 'http' }, ...subjects];
const kinds = [...callFaults.map((name) => ({ name })), ...faults];

async function calls(): Promise<void> {
  const asked = callFaults.filter((name) => chosen(kinds, values.fault).some((one) => one.name === name));
  if (asked.length === 0) return;
  table(['callers of', 'fault', 'times', 'requests', 'failed', 'came twice', 'slowest stop'], 2);
  for (const fault of asked) {
    const strikes = values.strikes === undefined ? usualTimes[fault] : Number(values.strikes);
    const { requests, failures, repeated, slowestStop } = await runCalls(fault, strikes);
    const stop = fault === 'replace' ? `${slowestStop} ms` : '';
    const figures = [strikes, requests, failures.length, repeated].map(String);
    process.stdout.write(`${line(['http', titles[fault], ...figures, stop])}\n`);
    for (const failure of failures.slice(0, 10)) process.stderr.write(`${failure}\n`);
    if (failures.length > 0 || repeated > 0) process.exitCode = 1;
  }
}

async function messages(): Promise<void> {
  const names = new Set(chosen(named, values.only).map(({ name }) => name));
  const asked = subjects.filter(({ name }) => names.has(name));
  if (asked.length === 0) return;
  table(['messages wait in', 'fault', 'times', 'accepted', 'lost', 'duplicates', 'at most'], 2);
  for (const subject of asked) {
    const why = await subject.missing();
    if (why !== undefined) {
      process.stderr.write(`SKIPPED ${subject.name}: ${why}\n`);
      continue;
    }
    const wanted = new Set(chosen(kinds, values.fault).map(({ name }) => name));
    for (const fault of faults.filter(({ name }) => wanted.has(name) && subject.faults.includes(name))) {
      const strikes = values.strikes === undefined ? fault.times : Number(values.strikes);
      await using place = await Place.open(subject);
      const { accepted, lost, duplicates, bound, slowestRecovery, ms } = await runFaults(place, {
        messages: Number(values.messages),
        strikes: Array.from({ length: strikes }, () => fault),
      });
      const figures = [strikes, accepted, lost, duplicates, bound].map(String);
      process.stdout.write(`${line([subject.name, fault.title, ...figures])}\n`);
      process.stderr.write(`took ${ms} ms; the slowest to go on after a fault took ${slowestRecovery} ms\n`);
      if (lost > 0 || duplicates > bound) process.exitCode = 1;
    }
  }
}

if (values.help) process.stdout.write(usage);
else {
  if (chosen(named, values.only).some(({ name }) => name === 'http')) await calls();
  await messages();
}
