/**
 * Reads an integration: YAML with places, `config` from the environment, `${NAME}` replaced, every option checked and
 * typed by its schema, referenced files read. Everything wrong is reported, each mistake once.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { passwordsIn } from '../core/url-passwords.ts';
import type { EndpointSource, Finding, FlowSource, IntegrationSource, Report } from '../core/written.ts';
import type { Infer } from '../schema/infer.ts';
import { type Kinds, kindSchemas } from '../schema/kinds.ts';
import { integrationSchema } from '../schema/language.ts';
import { nearest } from '../schema/nearest.ts';
import { childPointer, describe, entryOf, type Node } from '../schema/node.ts';
import { readValue } from '../schema/read.ts';
import type { ReadContext } from '../schema/read-context.ts';
import type { Schema } from '../schema/schema.ts';
import { type Environment, readConfig, type Setting } from './config.ts';
import { Consequences } from './consequences.ts';
import { type Diagnostic, sortDiagnostics } from './diagnostic.ts';
import { ReferencedFiles, type Texts } from './files.ts';
import { checkExpression, configIn, interpolateLiteral, interpolateTemplate, type Shift } from './interpolate.ts';
import { locate } from './locate.ts';
import { otherDocument } from './other-document.ts';
import { decode } from './text.ts';
import { parseYaml, type YamlDocument } from './yaml.ts';

/** So long at least a password is that stands for nothing else. */
const longPassword = 8;

export interface Loaded {
  /** `undefined` where the file could not be read as an integration at all. */
  readonly source: IntegrationSource | undefined;
  /** In the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
  /** The integration and every file it refers to, absolute. */
  readonly files: readonly string[];
  /** A finding of the compiler with its place. */
  locate(finding: Finding): Diagnostic;
  /** Whether a finding of the compiler only follows from a mistake that is among the diagnostics already. */
  follows(finding: Finding): boolean;
}

// `config` is read first, on its own: everything else depends on it.
const fileSchema = {
  ...integrationSchema,
  properties: { ...integrationSchema.properties, config: { any: true } },
} as const satisfies Schema;

type Read = Infer<typeof fileSchema>;
type OpenApi = typeof import('./openapi/open.ts');

/** `given`: texts to read in the place of the files, by absolute path. */
export async function loadIntegration(
  file: string,
  kinds: Kinds,
  environment: Environment,
  given?: Texts,
): Promise<Loaded> {
  const path = resolve(file);
  const text = given?.get(path) ?? readText(path);
  if (typeof text !== 'string') return nothing(path, [text]);
  const document = parseYaml(text);
  const diagnostics = document.findings.map((finding) => locate(document, finding, finding.span));
  if (!document.root) return nothing(path, diagnostics);
  const files = new ReferencedFiles(dirname(path), given);
  // Few integrations have a contract.
  const openapi = /\bopenapi\b/.test(text) ? await import('./openapi/open.ts') : undefined;
  return new Loading({ path, text }, document, document.root, { diagnostics, files, openapi }).load(kinds, environment);
}

const nothing = (path: string, diagnostics: readonly Diagnostic[]): Loaded => ({
  source: undefined,
  diagnostics,
  files: [path],
  locate: ({ severity, code, message, pointer }) => ({ severity, code, message, pointer, ...beginning }),
  follows: () => true,
});

const beginning = { line: 1, column: 1, endLine: 1, endColumn: 1 } as const;

function readText(path: string): string | Diagnostic {
  const failed = (code: string, message: string): Diagnostic => ({
    severity: 'error',
    code,
    message,
    pointer: '',
    ...beginning,
  });
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') return failed('missing-file', 'There is no such file');
    return failed(
      'unreadable-file',
      code === 'EISDIR' ? 'This is a folder, not a file' : `The file cannot be read (${code})`,
    );
  }
  return decode(bytes) ?? failed('not-utf8', 'The file is not UTF-8 text. Save it as UTF-8');
}

/** One file being read. */
class Loading {
  readonly #path: string;
  readonly #text: string;
  readonly #document: YamlDocument;
  readonly #root: Node;
  readonly #placed: readonly Diagnostic[];
  readonly #findings: Finding[] = [];
  readonly #files: ReferencedFiles;
  readonly #openapi: OpenApi | undefined;
  readonly #secrets = new Set<string>();
  readonly #consequences: Consequences;
  readonly #moved = new Map<string, string>();
  readonly #shifts = new Map<string, readonly Shift[]>();
  #settings: ReadonlyMap<string, Setting> = new Map();

  constructor(
    { path, text }: { readonly path: string; readonly text: string },
    document: YamlDocument,
    root: Node,
    {
      diagnostics,
      files,
      openapi,
    }: {
      readonly diagnostics: readonly Diagnostic[];
      readonly files: ReferencedFiles;
      readonly openapi: OpenApi | undefined;
    },
  ) {
    this.#path = path;
    this.#text = text;
    this.#document = document;
    this.#root = root;
    this.#placed = diagnostics;
    this.#files = files;
    this.#openapi = openapi;
    this.#consequences = new Consequences(root);
    for (const one of document.findings) this.#consequences.mistake(one);
  }

  load(kinds: Kinds, environment: Environment): Loaded {
    const context = this.#context(kinds);
    this.#settings = readConfig(configOf(this.#root), context, environment);
    const source = this.#read(context);
    return {
      source,
      diagnostics: this.#diagnostics(),
      files: [this.#path, ...this.#files.paths],
      locate: (finding) => this.#place(this.#asWritten(finding)),
      follows: (finding) => this.#consequences.includes(this.#asWritten(finding)),
    };
  }

  #diagnostics(): readonly Diagnostic[] {
    const misplaced = ({ code, name }: Finding): boolean =>
      code === 'undeclared-config' && name !== undefined && this.#consequences.isUnread(name);
    // What is wrong altogether is not also no place for a secret.
    const moot = (finding: Finding): boolean =>
      finding.code === 'open-secret' && this.#consequences.isWrong(finding.pointer);
    // A line that is indented too far takes those behind it along.
    const moved = ({ code, pointer }: { readonly code: string; readonly pointer: string }): boolean =>
      (code === 'duplicate-key' || code === 'two-kinds') && this.#consequences.isMovedBy(pointer);
    const untyped = ({ code, pointer }: Finding): boolean =>
      code === 'wrong-type' && /^\/config\/[^/]+\/default$/.test(pointer) && this.#consequences.isBesideUnread(pointer);
    const follows = [misplaced, moot, moved, untyped];
    const found = this.#findings.filter((finding) => !follows.some((one) => one(finding)));
    return sortDiagnostics([
      ...this.#placed.filter((one) => !moved(one)),
      ...found.map((finding) => locate(this.#document, finding)),
    ]);
  }

  #context(kinds: Kinds): ReadContext {
    const report = (finding: Finding): void => {
      const written = this.#asWritten(finding);
      this.#consequences.mistake(written);
      this.#findings.push(written);
    };
    const standIn = (pointer: string): void => this.#consequences.standIn(this.#written(pointer));
    return {
      kinds: kindSchemas(kinds),
      report,
      standIn,
      moved: (as, written) => void this.#moved.set(as, written),
      literal: (node, to) => interpolateLiteral(node, this.#settings, to),
      configIn: (node) => configIn(node, this.#settings),
      template: (node, to) => {
        const { value, shifts, spoilt } = interpolateTemplate(node, this.#settings, to);
        if (shifts.length > 0) this.#shifts.set(node.pointer, shifts);
        if (spoilt) standIn(node.pointer);
        return value;
      },
      expression: (node, to) => {
        if (!checkExpression(node, to)) standIn(node.pointer);
      },
      file: (path, node, to) => this.#files.read(path, node, to),
      openapi: (path, node, to) => this.#openapi?.openContract(path, node, this.#files, to),
      path: (path) => this.#files.resolve(path),
      secret: (value) => this.#secrets.add(value),
      text: (value) => this.#addPasswords(value),
      check: (connector, slot, options, pointer, to) =>
        kinds.connectors[connector]?.check?.(options, optionReport(pointer, to), slot),
      complete: (connector, slot, written, pointer, to) => {
        const complete = kinds.connectors[connector]?.complete;
        return complete ? complete(written, optionReport(pointer, to), slot) : written.options;
      },
    };
  }

  /** Whoever wrote a password into a URL did not say that it is secret. A short one (`guest`) is a word of its own, too. */
  #addPasswords(text: string): void {
    for (const password of passwordsIn(text)) if (password.length >= longPassword) this.#secrets.add(password);
  }

  #read(context: ReadContext): IntegrationSource | undefined {
    const other = otherDocument(this.#root);
    if (other) {
      context.report({ severity: 'error', code: 'not-an-integration', at: 'key', ...other });
      return undefined;
    }
    if (this.#root.kind !== 'map') {
      const message = `An integration is a map of keys, beginning with \`dowel: 1\`; found ${describe(this.#root)}`;
      context.report({ severity: 'error', code: 'wrong-type', pointer: '', at: 'key', message });
      return undefined;
    }
    const read = readValue(this.#root, fileSchema, context);
    const settings = [...this.#settings.values()];
    for (const one of settings) {
      if (one.state !== 'set') continue;
      if (one.secret) this.#secrets.add(one.text);
      this.#addPasswords(one.text);
    }
    const open = settings.filter((one) => !one.secret);
    return {
      file: this.#path,
      name: read.name,
      version: read.version,
      description: read.description,
      config: Object.fromEntries(open.map((one) => [one.name, one.state === 'set' ? one.value : undefined])),
      secretNames: settings.filter((one) => one.secret).map((one) => one.name),
      secrets: [...this.#secrets],
      server: read.server,
      admin: adminOf(read),
      store: read.store,
      log: read.log,
      endpoints: endpointsOf(read),
      flows: flowsOf(read),
      files: [this.#path, ...this.#files.paths],
      texts: new Map([[this.#path, this.#text], ...this.#files.texts]),
    };
  }

  #place(finding: Finding): Diagnostic {
    const { pointer, offset } = finding;
    const shift = offset === undefined ? undefined : this.#shifts.get(pointer);
    return locate(this.#document, shift ? { ...finding, offset: unshifted(offset ?? 0, shift) } : finding);
  }

  #asWritten(finding: Finding): Finding {
    return { ...finding, pointer: this.#written(finding.pointer) };
  }

  /** The pointer of what was read at `pointer`: not everything stands where it was read. */
  #written(pointer: string): string {
    for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const written = this.#moved.get(at);
      if (written !== undefined && written !== at) return this.#written(written + pointer.slice(at.length));
    }
    return pointer;
  }
}

/** How a connector tells what is wrong with its options, which stand at `pointer`. */
const optionReport =
  (pointer: string, to: Report) =>
  (at: string, message: string, suggestion?: string): void =>
    to({
      severity: 'error',
      code: 'bad-option',
      pointer: at === '' ? pointer : `${pointer}/${at}`,
      at: at === '' ? 'key' : 'value',
      message: `${message.charAt(0).toUpperCase()}${message.slice(1)}`,
      suggestion,
    });

/** What stands under `config`, also where that is misspelt: every `${NAME}` would be a mistake else. */
function configOf(root: Node): Node | undefined {
  if (root.kind !== 'map') return undefined;
  const known = Object.keys(integrationSchema.properties);
  const meant = (key: string): boolean => !known.includes(key) && nearest(key, known) === 'config';
  return entryOf(root, 'config') ?? root.entries.find((entry) => meant(entry.key))?.value;
}

/** The offset in the text as written, before `${NAME}` was replaced. */
const unshifted = (offset: number, shifts: readonly Shift[]): number =>
  offset + (shifts.findLast((shift) => shift.from <= offset)?.by ?? 0);

function adminOf(read: Read): IntegrationSource['admin'] {
  const { host, port, token } = read.admin;
  return { host, port: port ?? 9400, insist: port !== undefined, token };
}

/** An endpoint without a connector has its message already; nothing can be called through it. */
function endpointsOf(read: Read): Readonly<Record<string, EndpointSource>> {
  const endpoints = Object.entries(read.endpoints ?? {}).flatMap(([name, endpoint]): readonly EndpointSource[] => {
    const { connector, description: _, cloudEvents: events, ...policies } = endpoint;
    return connector ? [{ name, connector, events, policies, pointer: childPointer('/endpoints', name) }] : [];
  });
  return byName(endpoints);
}

function flowsOf(read: Read): Readonly<Record<string, FlowSource>> {
  const flows = Object.entries(read.flows).map(([name, flow]): FlowSource => {
    const { description, from, deadline, durable, concurrency, orderBy, redelivery, deadLetter, steps, onError } = flow;
    const settings = { deadline, durable, concurrency, orderBy, redelivery, deadLetter };
    const pointer = childPointer('/flows', name);
    return {
      name,
      description,
      from: from?.connector,
      events: from?.cloudEvents,
      ...settings,
      steps,
      onError,
      pointer,
    };
  });
  return byName(flows);
}

/** Nothing is in it but what the file names: a flow may be called `constructor`, and must not be found when it is not. */
const byName = <T extends { readonly name: string }>(all: readonly T[]): Readonly<Record<string, T>> =>
  Object.assign(Object.create(null), Object.fromEntries(all.map((one) => [one.name, one])));
