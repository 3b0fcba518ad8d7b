import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Child, finished, root } from '../support/child-process.ts';
import { withPackage } from '../support/debian-server.ts';
import { eventually } from '../support/eventually.ts';
import { takenPort } from '../support/free-port.ts';
import { natsProgram } from '../support/nats-server.ts';
import { redisProgram } from '../support/redis-server.ts';

const script = join(root, 'scripts/brokers.ts');

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** How far above the usual ports nobody listens. */
async function freeShift(...ports: readonly number[]): Promise<number> {
  for (let shift = 20_000 + (process.pid % 20_000); ; shift++) {
    const taken = await Promise.all(ports.map((port) => listens(port + shift)));
    if (!taken.includes(true)) return shift;
  }
}

withPackage('nats-server', natsProgram && redisProgram, 'npm run brokers', () => {
  test('starts what was asked for, says where it is, and stops it with Ctrl-C', async () => {
    const shift = await freeShift(4222, 6379);
    await using child = new Child(process.execPath, [script, '--shift', String(shift), 'redis', 'nats']);
    await child.until('ready', () => child.stdout.includes('# ready'));
    assert.deepEqual(child.stdout.trim().split('\n'), [
      `export NATS_URL='nats://127.0.0.1:${4222 + shift}'`,
      `export REDIS_URL='redis://127.0.0.1:${6379 + shift}'`,
      '# ready; Ctrl-C stops them and removes their data',
    ]);
    assert.ok(await listens(4222 + shift));
    assert.ok(await listens(6379 + shift));
    assert.equal((await child.stop('SIGINT')).code, 0);
    await eventually('both are gone', async () => !(await listens(4222 + shift)) && !(await listens(6379 + shift)));
  });

  test('a port that is taken is left alone', async () => {
    await using other = await takenPort();
    const shift = other.port - 4222;
    const { code, stdout, stderr } = await finished(process.execPath, [script, '--shift', String(shift), 'nats']);
    assert.equal(code, 1);
    assert.equal(stdout, `# nats is left out: somebody listens on port ${other.port} already\n`);
    assert.equal(stderr, 'Nothing was started.\n');
  });

  test('a broker that it does not know is said, with those it knows', async () => {
    const { code, stderr } = await finished(process.execPath, [script, 'nuts']);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^There is no broker `nuts`: there are rabbitmq, mosquitto, nats, redis, postgres, kafka\nUsage: /,
    );
  });
});
