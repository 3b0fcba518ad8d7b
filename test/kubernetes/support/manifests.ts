import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Asked, readDeployable } from '../../../src/cli/deployable.ts';
import type { Manifest } from '../../../src/kubernetes/manifest.ts';
import { type Manifests, manifestsOf } from '../../../src/kubernetes/manifests.ts';

type Env = Readonly<Record<string, string>>;

export async function manifestsOfFile(file: string, env: Env = {}, asked: Partial<Asked> = {}): Promise<Manifests> {
  const { deployable, diagnostics, problems } = await readDeployable(file, env, { image: 'dowel:test', ...asked });
  if (problems.length > 0) return { manifests: [], notes: [], problems };
  assert.ok(deployable, JSON.stringify(diagnostics, undefined, 2));
  return manifestsOf(deployable);
}

/** Of an integration that is written down for the test: the files, the first of which is the definition. */
export async function manifestsOfTexts(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  env: Env = {},
  asked: Partial<Asked> = {},
): Promise<Manifests> {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-kube-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(folder, 'home', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  });
  return manifestsOfFile(paths[0] ?? '', env, asked);
}

export function ofKind(manifests: readonly Manifest[], kind: string): Manifest {
  const [found, ...others] = manifests.filter((manifest) => manifest.kind === kind);
  assert.ok(found && others.length === 0, `${kind}: ${manifests.map((one) => one.kind).join(', ')}`);
  return found;
}

/** What stands at a path, such as `spec.replicas`. */
export const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce((inner, key) => (inner as Readonly<Record<string, unknown>> | undefined)?.[key], value);

export const kinds = ({ manifests }: Manifests): readonly string[] => manifests.map((one) => one.kind);

/** An integration around a `from`. */
export const reading = (from: string, { config = '', more = '', flow = '' } = {}): string => `dowel: 1
name: Reader_1
version: 1.0.0+build 7
config:
  PORT: { type: integer, default: 8080 }
${config}
server: { port: "\${PORT}" }
${more}
endpoints:
  parked: { http: { url: "http://parking.example" } }
flows:
  read:
    from: ${from}
${flow}
    steps:
      - log: { message: it came }
`;
