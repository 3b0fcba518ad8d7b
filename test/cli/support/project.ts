import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder with files of its own, removed behind the test. */
export class Project {
  readonly folder: string;

  constructor(t: Pick<TestContext, 'after'>, files: Readonly<Record<string, string>> = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'dowel-cli-'));
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  path(name = 'integration.yaml'): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }
}

/** An integration that listens on a free port, whose one flow answers `GET /` by these steps. */
export const serving = (steps: string, more = ''): string => `dowel: 1
name: test
server: { port: 0 }
${more}
flows:
  main:
    from: { http: { method: GET, path: / } }
    steps:
${steps.replaceAll(/^/gm, '      ')}
`;

export const answering = (text: string): string => serving(`- respond: { status: 200, body: { text: ${text} } }`);
