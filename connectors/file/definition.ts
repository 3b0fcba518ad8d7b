import type { ConnectorDefinition, Infer, Schema } from '#sdk';
import { globProblem } from './glob.ts';

export const source = {
  type: 'object',
  description: 'Takes the files of a folder, one message each, in the order of their names.',
  properties: {
    path: {
      type: 'string',
      format: 'path',
      description: 'The folder to watch. It must exist when the integration starts. Its sub-folders are left alone.',
      examples: ['./inbox'],
    },
    glob: {
      type: 'string',
      default: '*',
      description:
        'Which file names to take: `*` is any text, `?` one character, `{a,b}` one of several. Names that begin with a dot never match.',
      examples: ['*.csv', 'order-*.{json,xml}'],
    },
    every: {
      type: 'string',
      format: 'duration',
      default: '1s',
      description: 'How often the folder is looked at.',
      examples: ['250ms', '10s'],
    },
    settle: {
      type: 'string',
      format: 'duration',
      default: '500ms',
      description:
        'A file is complete when its size and time have not changed for this long. `0s` where files are moved into the folder whole.',
      examples: ['2s', '0s'],
    },
    done: {
      type: 'object',
      oneKey: true,
      description: 'What becomes of a file whose flow succeeded; moved to `.done` in the folder when absent.',
      properties: {
        folder: {
          type: 'string',
          format: 'path',
          description: 'Moved to this folder, under its name; a time is added to the name where there is one already.',
        },
        delete: { type: 'boolean', description: 'Deleted: `delete: true`.' },
      },
    },
    failed: {
      type: 'string',
      format: 'path',
      description:
        'The folder for files that failed for good, each with an `.error.json` beside it; `.failed` in the folder when absent.',
    },
    maxAttempts: {
      type: 'integer',
      minimum: 1,
      default: 10,
      description: 'How often a file is tried when its flow fails with a transient error, or the process dies over it.',
    },
    retryDelay: {
      type: 'string',
      format: 'duration',
      default: '1s',
      description: 'Before the second attempt, at most; doubled each time, up to a minute, with full jitter.',
    },
    maxSize: {
      type: 'string',
      format: 'size',
      default: '100mb',
      description:
        'A larger file fails when the flow looks at its content. A file that is only relayed may have any size.',
    },
  },
  required: ['path'],
} as const satisfies Schema;

export const endpoint = {
  type: 'object',
  description: 'Writes each message to a file: whole and atomically, or as a line at the end.',
  properties: {
    path: {
      type: 'string',
      format: 'path',
      description: 'The file; or the folder, when calls give a `name`. Folders are made where they are missing.',
      examples: ['./audit.jsonl', './outbox'],
    },
    sync: {
      type: 'boolean',
      default: true,
      description: 'A message is done when it is on the disk (fsync); without, when the operating system has it.',
    },
  },
  required: ['path'],
} as const satisfies Schema;

export const call = {
  type: 'object',
  description: 'How one message is written.',
  properties: {
    name: {
      type: 'string',
      template: true,
      description:
        "Name of a file in the endpoint's folder. A name with a separator, `..` or a dot in front fails as `validation`.",
      examples: ['${{ orderId }}.json'],
    },
    append: {
      type: 'boolean',
      default: false,
      description: 'Adds to the end of the file instead of replacing it. JSON becomes one line.',
    },
    newline: {
      type: 'boolean',
      default: true,
      description: 'With `append`: each message is a line of its own; newlines are added where they are missing.',
    },
  },
} as const satisfies Schema;

export type FileSourceOptions = Infer<typeof source>;
export type FileEndpointOptions = Infer<typeof endpoint>;

const isSource = (options: unknown): options is FileSourceOptions =>
  typeof options === 'object' && options !== null && 'glob' in options;

export const definition: ConnectorDefinition = {
  name: 'file',
  summary: 'Takes files from a folder, each by exactly one process; writes files atomically or appends lines.',
  source,
  endpoint,
  call,
  unsettled:
    '`file` sees to that itself: `maxAttempts` and `retryDelay` stand under it, and files that fail for good go to its folder `failed`',
  check(options, report) {
    if (!isSource(options)) return;
    const glob = globProblem(options.glob);
    if (glob !== undefined) report('glob', glob);
    if (options.every < 1) report('every', 'The folder cannot be looked at more often than every 1ms');
    if (options.done?.delete === false) report('done/delete', 'Only `delete: true` says something; else give `folder`');
    if (options.done?.folder === options.path)
      report('done/folder', 'Must be another folder than `path`: its files would be taken again');
    if (options.failed === options.path)
      report('failed', 'Must be another folder than `path`: its files would be taken again');
  },
};
