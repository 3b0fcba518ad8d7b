import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type DowelProcess, startDowel } from '../../support/dowel-process.ts';
import type { ReceivedSpan } from '../../support/otlp-decode.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';

/** Spans come soon, and one integration writes nothing into the folder of another. */
export const soon = { OTEL_BSP_SCHEDULE_DELAY: '20' };

export async function receiving(t: TestContext): Promise<OtlpReceiver> {
  const receiver = await new OtlpReceiver().start();
  t.after(() => receiver.stop());
  return receiver;
}

export function written(t: TestContext, yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dowel-traces-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'integration.yaml');
  writeFileSync(file, `dowel: 1\nadmin: { port: 0 }\n${yaml}`);
  return file;
}

export async function running(
  t: TestContext,
  yaml: string,
  receiver: Pick<OtlpReceiver, 'url'>,
  env: Readonly<Record<string, string>> = {},
): Promise<DowelProcess> {
  const dowel = await startDowel(written(t, yaml), {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...soon, ...env },
  });
  t.after(() => dowel[Symbol.asyncDispose]());
  return dowel;
}

export const one = (receiver: OtlpReceiver, name: string): ReceivedSpan => {
  const [span, ...more] = receiver.named(name);
  assert.ok(span, `no span ${name} among ${receiver.taken.map((each) => each.name).join(', ')}`);
  assert.equal(more.length, 0, `several spans ${name}`);
  return span;
};

export const stock = `
name: stock
version: 2.0.0
server: { port: 0 }
flows:
  stock:
    from: { http: { method: GET, path: "/stock/{sku}" } }
    steps:
      - { name: Look, set: { body: { available: 3 } } }
`;

export const shop = (url: string): string => `
name: shop
version: 1.2.0
server: { port: 0, host: 127.0.0.1 }
endpoints:
  stock: { http: { url: "${url}/stock" } }
flows:
  order:
    from: { http: { path: "/orders/{id}" } }
    steps:
      - name: Both
        group:
          steps:
            - name: Ask for stock
              call: { endpoint: stock, http: { method: GET, path: "/tea?key=k-canary" }, as: found }
      - respond: { status: 201, body: { available: "\${{ $found.available }}" } }
`;
