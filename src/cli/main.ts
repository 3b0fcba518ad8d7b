import { exitCode } from './exit-codes.ts';
import { fail, print } from './output.ts';
import { EnvironmentError, UsageError } from './usage.ts';

interface Command {
  /** Its arguments, as its help shows them. */
  readonly takes: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: (args: readonly string[]) => Promise<number> }>;
}

/** One file per command, loaded when asked for. */
const commands: Readonly<Record<string, Command>> = {
  run: { takes: 'FILE', summary: 'run an integration', load: () => import('./run.ts') },
  dev: { takes: 'FILE', summary: 'run it, and again whenever the file changes', load: () => import('./dev.ts') },
  validate: { takes: 'FILE…', summary: 'check definitions without running them', load: () => import('./validate.ts') },
  test: { takes: 'FILE…', summary: 'run the tests beside integrations', load: () => import('./test.ts') },
  graph: { takes: 'FILE', summary: 'draw the flows (Mermaid)', load: () => import('./graph.ts') },
  docs: { takes: 'FILE', summary: 'describe it as OpenAPI or AsyncAPI', load: () => import('./docs.ts') },
  kube: { takes: 'FILE', summary: 'print manifests for Kubernetes', load: () => import('./kube.ts') },
  schema: { takes: '', summary: 'print the JSON Schema for editors', load: () => import('./schema.ts') },
  new: {
    takes: 'NAME',
    summary: 'start a new integration in a folder of that name',
    load: () => import('./new.ts'),
  },
  'dead-letters': {
    takes: 'list|show|replay|discard FILE',
    summary: 'the messages that were given up',
    load: () => import('./dead-letters.ts'),
  },
  healthcheck: {
    takes: '',
    summary: 'ask a running integration whether it is ready',
    load: () => import('./healthcheck.ts'),
  },
};

export async function main(args: readonly string[]): Promise<void> {
  process.exitCode = await dispatch(args);
}

async function dispatch([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    print(help());
    return name === undefined ? exitCode.usage : exitCode.done;
  }
  if (name === '--version' || name === '-v') {
    const { version } = await import('./version.ts');
    print(`${version()}\n`);
    return exitCode.done;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    fail(`there is no command ${name}${await instead(name)}\n\n${help()}`);
    return exitCode.usage;
  }
  try {
    return await (await command.load()).command(rest);
  } catch (thrown) {
    if (thrown instanceof UsageError) {
      fail(thrown.message);
      return exitCode.usage;
    }
    if (thrown instanceof EnvironmentError) {
      fail(thrown.message);
      return exitCode.config;
    }
    fail(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
    return exitCode.internal;
  }
}

async function instead(name: string): Promise<string> {
  if (/\.ya?ml$/.test(name)) return `; to run the file: dowel run ${name}`;
  if (name === 'version') return '; did you mean --version?';
  const { nearest } = await import('../schema/nearest.ts');
  const close = nearest(name, Object.keys(commands));
  return close ? `; did you mean ${close}?` : '';
}

function help(): string {
  const lines = Object.entries(commands).map(([name, { takes, summary }]) => {
    const start = `dowel ${name} ${takes}`.trim();
    // What is longer than the others has its explanation below.
    const gap = start.length < 22 ? ''.padEnd(22 - start.length) : `\n${''.padEnd(24)}`;
    return `  ${start}${gap}${summary}`;
  });
  return `Dowel runs one integration, written in one YAML file, as one light process.\n\n${lines.join('\n')}\n\nEach command explains itself: dowel run --help\n`;
}
