import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { withPackage } from '../../support/debian-server.ts';
import { runDowel, startDowel } from '../../support/dowel-process.ts';
import { eventually } from '../../support/eventually.ts';
import { MosquittoServer, mosquittoProgram } from '../../support/mosquitto-server.ts';
import { beginSession, listen, stranger } from './support.ts';

const relay = (more = ''): string => `
dowel: 1
name: relay
config: { MQTT_URL: { type: uri, secret: true } }
admin: { port: 0 }
endpoints:
  out: { mqtt: { url: "\${MQTT_URL}" } }
flows:
  relay:
    from: { mqtt: { url: "\${MQTT_URL}", topics: [ in/# ], clientId: relay } }
    concurrency: 10
    ${more}
    steps:
      - delay: { for: 5ms }
      - send: { endpoint: out, mqtt: { topic: "out/\${{ $source.wildcards[0] }}" } }
`;

withPackage('mosquitto', mosquittoProgram, 'mqtt, as a process', () => {
  let broker: MosquittoServer;
  const folder = mkdtempSync(join(tmpdir(), 'dowel-mqtt-'));
  const file = join(folder, 'relay.yaml');
  before(async () => {
    broker = await MosquittoServer.start({
      users: { relay: 'canary-7391' },
      settings: () => ['max_queued_messages 0'],
    });
  });
  after(async () => {
    await broker[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const login = { username: 'relay', password: 'canary-7391' };
  const env = (password = login.password) => ({ MQTT_URL: `mqtt://relay:${password}@127.0.0.1:${broker.port}` });

  test('killed again and again: nothing is lost, and no more comes twice than was under way', async (t) => {
    writeFileSync(file, relay());
    await beginSession(broker, 'relay', ['in/#'], 1, login);
    const seen = await listen(t, broker, 'out/#', login);
    const messages = 600;
    const sender = await stranger(broker, login);
    t.after(() => sender.endAsync(true));
    const sending = Array.from({ length: messages }, (_, n) =>
      sender.publishAsync(`in/${n}`, `{"n":${n}}`, { qos: 1 }),
    );
    await Promise.all(sending);
    const kills = 3;
    for (let kill = 1; kill <= kills; kill++) {
      await using dowel = await startDowel(file, { env: env() });
      await dowel.until('some are done', () => seen.length > 100 * kill);
      await dowel.stop('SIGKILL');
    }
    await using dowel = await startDowel(file, { env: env() });
    const distinct = (): number => new Set(seen.map(({ topic }) => topic)).size;
    await dowel.until('all are done', () => distinct() === messages, 30_000);
    // Asked to end in good order it leaves nothing unacknowledged.
    const exit = await dowel.stop();
    assert.equal(exit.code, 0);
    assert.ok(seen.length - messages <= kills * 20, `${seen.length - messages} came twice`);
    const count = seen.length;
    await using again = await startDowel(file, { env: env() });
    await sender.publishAsync('in/last', '{}', { qos: 1 });
    await eventually('the last one is there', () => seen.some(({ topic }) => topic === 'out/last'));
    assert.equal(seen.length, count + 1);
    assert.doesNotMatch(again.stdout + dowel.stdout + dowel.stderr, /canary-7391/);
  });

  test('a wrong password: exit 69, one line that says what to do', async () => {
    writeFileSync(file, relay());
    const { code, stdout, stderr } = await runDowel(['run', file], { env: env('wrong-1') });
    assert.equal(code, 69);
    const said = stdout + stderr;
    assert.match(said, /could not be opened.*wrong user name or password|not authorized/);
    assert.doesNotMatch(said, /wrong-1/);
  });

  test('a message that always fails goes where the flow sends what it gives up, and blocks nothing', async (t) => {
    writeFileSync(
      file,
      relay(`redelivery: { maxAttempts: 2, delay: 10ms }
    deadLetter: { endpoint: out, mqtt: { topic: dead } }`)
        .replaceAll('relay', 'failing')
        .replace('- delay: { for: 5ms }', '- when: $.bad\n        fail: { code: nope, kind: transient }'),
    );
    const dead = await listen(t, broker, 'dead', login);
    const out = await listen(t, broker, 'out/#', login);
    await using _ = await startDowel(file, { env: env() });
    const sender = await stranger(broker, login);
    t.after(() => sender.endAsync(true));
    await sender.publishAsync('in/a', '{"bad":true}', { qos: 1 });
    await sender.publishAsync('in/b', '{"bad":false}', { qos: 1 });
    await eventually('both have arrived', () => dead.length === 1 && out.length === 1);
    assert.equal(dead[0]?.payload.toString(), '{"bad":true}');
  });
});
