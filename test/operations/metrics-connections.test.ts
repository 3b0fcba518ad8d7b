import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Project } from '../cli/support/project.ts';
import { withPackage } from '../support/debian-server.ts';
import { startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/free-port.ts';
import { MosquittoServer, mosquittoProgram } from '../support/mosquitto-server.ts';
import { readMetrics } from '../support/read-metrics.ts';

const yaml = (port: number): string => `
dowel: 1
name: connected
config: { TOKEN: { secret: true } }
server: { port: 0, host: 127.0.0.1 }
admin: { port: 0, token: "\${TOKEN}" }
endpoints:
  out: { mqtt: { url: "mqtt://127.0.0.1:${port}" } }
  far: { http: { url: http://127.0.0.1:${port} } }
flows:
  ask:
    from: { http: { path: /ask } }
    steps: [ { send: { endpoint: out, mqtt: { topic: asked } } }, { call: { endpoint: far } } ]
  take:
    from: { mqtt: { url: "mqtt://127.0.0.1:${port}", topics: [told], clientId: taker } }
    steps: [ { log: { message: told } } ]
`;

const figures = {
  ask: 'dowel_source_disconnected{flow="ask"}',
  take: 'dowel_source_disconnected{flow="take"}',
  out: 'dowel_endpoint_disconnected{endpoint="out"}',
  far: 'dowel_endpoint_disconnected{endpoint="far"}',
  held: 'dowel_messages_held_up{flow="take"}',
} as const;

withPackage('mosquitto', mosquittoProgram, 'figures of connections', () => {
  test('what is not connected is 1, what is or need not be is 0; of a paused source nothing is wanted', async (t) => {
    const [port = 0] = await freePorts(1);
    const project = new Project(t, { 'integration.yaml': yaml(port) });
    const TOKEN = 'a-token-for-connections';
    await using dowel = await startDowel(project.path(), { env: { TOKEN } });
    const admin = (path: string, method = 'GET'): Promise<Response> =>
      fetch(`http://127.0.0.1:${dowel.adminPort}${path}`, { method, headers: { authorization: `Bearer ${TOKEN}` } });
    const read = async (): Promise<Readonly<Record<string, number | undefined>>> => {
      const all = readMetrics(await (await admin('/metrics')).text());
      return Object.fromEntries(Object.entries(figures).map(([name, series]) => [name, all.get(series)]));
    };
    assert.deepEqual(await read(), { ask: 0, take: 1, out: 1, far: 0, held: 0 });
    await admin('/flows/take/pause', 'POST');
    assert.deepEqual(await read(), { ask: 0, take: 0, out: 1, far: 0, held: 0 });
    await admin('/flows/take/resume', 'POST');
    await eventually('it is wanted again', async () => (await read())['take'] === 1);
    await using _ = await MosquittoServer.start({ port });
    const connected = { ask: 0, take: 0, out: 0, far: 0, held: 0 };
    await eventually('both are connected', async () => isDeepStrictEqual(await read(), connected));
  });
});
