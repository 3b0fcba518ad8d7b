import { createRequire } from 'node:module';
import type { Log } from '../core/exchange.ts';
import { redactor } from '../core/redactor.ts';

// A CommonJS package is read twice, and kept twice, when it is imported.
const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');

/** A log whose level can be set while it is written. */
export interface LevelledLog extends Log {
  readonly level: string;
  setLevel(level: 'debug' | 'info' | 'warn' | 'error'): void;
}

export interface LoggerOptions {
  readonly level: string;
  /** On every line: integration, version. */
  readonly base: Readonly<Record<string, unknown>>;
  /** Texts that must never be written; asked for with every line, for a reload may bring others. */
  readonly secrets: () => readonly string[];
}

/** JSON lines on stdout, one fact a field. The sink is synchronous: no line is lost when the process ends. */
export function jsonLog(options: LoggerOptions): LevelledLog {
  const out = pino(
    {
      level: options.level,
      base: { ...options.base },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 1, sync: true }),
  );
  const clean = redactor(options.secrets);
  // Every step of every message asks.
  let debugging = out.isLevelEnabled('debug');
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (out.isLevelEnabled(level)) out[level](clean(fields), clean(message));
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    get debugging() {
      return debugging;
    },
    get level() {
      return out.level;
    },
    setLevel(level) {
      out.level = level;
      debugging = out.isLevelEnabled('debug');
    },
  };
}

/** A console for people: `dowel dev`. */
export function prettyLog(
  options: LoggerOptions & { readonly color: boolean; readonly write: (text: string) => void },
): LevelledLog {
  const clean = redactor(options.secrets);
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  const paint: Readonly<Record<string, string>> = {
    debug: '\x1b[2m',
    info: '\x1b[36m',
    warn: '\x1b[33m',
    error: '\x1b[31m',
  };
  let from = levels.find((one) => one === options.level) ?? 'info';
  const line =
    (level: (typeof levels)[number]) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (levels.indexOf(level) < levels.indexOf(from)) return;
      const time = new Date().toTimeString().slice(0, 8);
      const facts = Object.entries(clean(fields))
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join(' ');
      const [on, off] = options.color ? [paint[level] ?? '', '\x1b[0m'] : ['', ''];
      options.write(`${time} ${on}${level.padEnd(5)}${off} ${clean(message)}${facts ? `  ${facts}` : ''}\n`);
    };
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    get debugging() {
      return from === 'debug';
    },
    get level() {
      return from;
    },
    setLevel(level) {
      from = level;
    },
  };
}
