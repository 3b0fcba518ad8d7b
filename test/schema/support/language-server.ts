/** The yaml-language-server that editors run, asked over stdio as editors ask it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';

const root = new URL('../../../', import.meta.url);
const schema = new URL('schemas/integration.schema.json', root).href;

export interface Completion {
  readonly label: string;
  readonly insertText: string;
}

export interface EditorDiagnostic {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface Editor {
  /** What is offered at the `|` in the text. */
  complete(text: string): Promise<readonly Completion[]>;
  /** What is shown for the word at the `|`. */
  hover(text: string): Promise<string>;
  diagnose(text: string): Promise<readonly EditorDiagnostic[]>;
  close(): Promise<void>;
}

interface Published {
  readonly uri: string;
  readonly diagnostics: readonly {
    readonly message: string;
    readonly range: { readonly start: { readonly line: number; readonly character: number } };
  }[];
}

/** Starts the server. Files know their schema by their first line, as the examples do. */
export async function openEditor(): Promise<Editor> {
  const folder = dirname(createRequire(import.meta.url).resolve('yaml-language-server/package.json'));
  const child = spawn(process.execPath, [join(folder, 'bin', 'yaml-language-server'), '--stdio'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const waiting = new Map<string, (published: Published) => void>();
  const settings = { validate: true, hover: true, completion: true, schemaStore: { enable: false } };
  connection.onRequest(
    'workspace/configuration',
    ({ items }: { readonly items: readonly { readonly section?: string }[] }) =>
      items.map(({ section }) => (section === 'yaml' ? settings : {})),
  );
  connection.onRequest('client/registerCapability', () => null);
  connection.onNotification('textDocument/publishDiagnostics', (published: Published) => {
    waiting.get(published.uri)?.(published);
  });
  connection.listen();
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: root.href,
    capabilities: {
      workspace: { configuration: true },
      textDocument: {
        completion: { completionItem: { snippetSupport: true } },
        hover: { contentFormat: ['markdown'] },
      },
    },
  });
  await connection.sendNotification('initialized', {});

  let count = 0;
  const open = async (text: string, at = 0) => {
    const before = text.slice(0, at).split('\n');
    const uri = pathToFileURL(join(folder, `test-${count++}.yaml`)).href;
    const published = new Promise<Published>((resolve) => waiting.set(uri, resolve));
    await connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId: 'yaml', version: 1, text: `# yaml-language-server: $schema=${schema}\n${text}` },
    });
    const position = { line: before.length, character: before.at(-1)?.length ?? 0 };
    return { at: { textDocument: { uri }, position }, published };
  };
  const openAtMark = (marked: string) => open(marked.replace('|', ''), marked.indexOf('|'));
  return {
    async complete(text) {
      const { at } = await openAtMark(text);
      const { items } = await connection.sendRequest<{ readonly items: readonly Completion[] }>(
        'textDocument/completion',
        at,
      );
      return items;
    },
    async hover(text) {
      const { at } = await openAtMark(text);
      const found = await connection.sendRequest<{ readonly contents: { readonly value: string } } | null>(
        'textDocument/hover',
        at,
      );
      return found?.contents.value ?? '';
    },
    async diagnose(text) {
      const { published } = await open(text);
      return (await published).diagnostics.map(({ message, range }) => ({
        line: range.start.line,
        column: range.start.character + 1,
        message,
      }));
    },
    async close() {
      await connection.sendRequest('shutdown');
      const closed = once(child, 'close');
      await connection.sendNotification('exit');
      await closed;
      connection.dispose();
    },
  };
}
