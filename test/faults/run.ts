/** `npm run faults`: every kind of waiting through every fault, with an outside count of what was lost or came twice. */
import { parseArgs } from 'node:util';
import { runFault } from './fault-run.ts';
import { faults } from './faults.ts';
import { subjects } from './subjects.ts';

const usage = `npm run faults -- [options]

Sends messages through an integration that is killed, stopped, reloaded and cut off, and counts outside what was accepted
and what had an effect. Ends with 1 if a message was lost, or came more often than is promised. Takes some minutes.

  --only LIST      where messages wait: ${subjects.map(({ name }) => name).join(', ')}
  --fault LIST     what happens: ${faults.map(({ name }) => name).join(', ')}
  --messages N     of each run (5000)
  --strikes N      how often each fault strikes (default: ${faults.map(({ name, times }) => `${name} ${times}`).join(', ')})
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

if (values.help) process.stdout.write(usage);
else {
  process.stdout.write(
    `${line(['messages wait in', 'fault', 'times', 'accepted', 'lost', 'duplicates', 'at most'])}\n${line(['---', '---', '---:', '---:', '---:', '---:', '---:'])}\n`,
  );
  for (const subject of chosen(subjects, values.only)) {
    const why = await subject.missing();
    if (why !== undefined) {
      process.stderr.write(`SKIPPED ${subject.name}: ${why}\n`);
      continue;
    }
    for (const fault of chosen(faults, values.fault).filter(({ name }) => subject.faults.includes(name))) {
      const strikes = values.strikes === undefined ? fault.times : Number(values.strikes);
      const { accepted, lost, duplicates, bound, slowestRecovery, ms } = await runFault(subject, fault, {
        messages: Number(values.messages),
        strikes,
      });
      const figures = [strikes, accepted, lost, duplicates, bound].map(String);
      process.stdout.write(`${line([subject.name, fault.title, ...figures])}\n`);
      process.stderr.write(`took ${ms} ms; the slowest to go on after a fault took ${slowestRecovery} ms\n`);
      if (lost > 0 || duplicates > bound) process.exitCode = 1;
    }
  }
}
