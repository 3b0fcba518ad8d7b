import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { failure } from '../../src/errors.ts';
import { mainFlow, type Outside, startEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

describe('a message', () => {
  test('whose sender waits has a minute when the flow says nothing', async (t) => {
    const engine = await startEngine(t, mainFlow('- delay: { for: 2m }'));
    const sent = assert.rejects(engine.send(), { code: 'deadline', kind: 'transient', status: 504 });
    await engine.clock.advance(60_000);
    await sent;
  });

  test('nobody waits for may take as long as it needs', async (t) => {
    const yaml = mainFlow('- delay: { for: 2m }\n- call: { endpoint: a }').replace(
      'from: { test: {} }',
      'from: { oneway: {} }',
    );
    const engine = await startEngine(t, yaml);
    const sent = engine.send();
    await engine.clock.advance(120_000);
    await sent;
    assert.deepEqual(engine.called, ['a']);
  });

  test('whose sender waits less than the flow allows ends when the sender has gone', async (t) => {
    const engine = await startEngine(t, mainFlow('- delay: { for: 2s }', { flow: 'deadline: 10s' }));
    const sent = assert.rejects(engine.send({ deadline: 500 }), { code: 'deadline' });
    await engine.clock.advance(500);
    await sent;
  });

  test('beyond `concurrency` is refused at once, and nothing was started', async (t) => {
    const engine = await startEngine(t, mainFlow('- call: { endpoint: a }', { flow: 'concurrency: 2' }), {
      far: () => new Promise(() => {}),
    });
    const waiting = [engine.send(), engine.send()].map((one) => one.catch(() => {}));
    await assert.rejects(engine.send(), { code: 'overloaded', kind: 'rejected', status: 503, outcome: 'none' });
    await engine.clock.advance(30_000);
    await Promise.all(waiting);
    engine.far = () => undefined;
    await engine.send();
  });

  test('that fails leaves one line that says where and what is left behind', async (t) => {
    const engine = await startEngine(t, mainFlow('- name: Charge\n  call: { endpoint: a }'), {
      far: () => {
        throw failure('connection', { endpoint: 'a', detail: 'reset', sent: true });
      },
    });
    await assert.rejects(engine.send({ body: { card: '4111' } }));
    const lines = engine.log.lines.filter((line) => line.message === 'a message failed');
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.level, 'warn');
    assert.equal(lines[0]?.fields['place'], 'main/steps/0 "Charge"');
    assert.equal(lines[0]?.fields['outcome'], 'unknown');
    assert.doesNotMatch(JSON.stringify(engine.log.lines), /4111/);
  });
});

describe('an answer that comes bit by bit', () => {
  /** Begins, and goes on when the test says so. */
  const slow = (): PassThrough => {
    const stream = new PassThrough();
    stream.write('{ "a":');
    return stream;
  };

  for (const step of [
    '- convert: { to: json }',
    '- transform: a',
    '- call: { endpoint: b }',
    '- wireTap: { steps: [ { call: { endpoint: b } } ] }',
  ]) {
    test(`is waited for until the deadline and no longer: ${step}`, async (t) => {
      const stream = slow();
      const yaml = mainFlow(`- call: { endpoint: a }\n${step}`, { flow: 'deadline: 1s' });
      const engine = await startEngine(t, yaml, { far: () => ({ stream }) });
      const sent = assert.rejects(engine.send(), { code: 'deadline' });
      await engine.clock.advance(1000);
      await sent;
      assert.equal(stream.destroyed, true, 'its connection is given back');
    });
  }

  for (const step of [
    'call: { endpoint: a, as: x, test: { path: get } }',
    'recipientList: { endpoints: "[\\"a\\"]", as: x, test: { path: get } }',
  ]) {
    test(`belongs to the call where it is looked at: ${step}`, async (t) => {
      const streams: PassThrough[] = [];
      const yaml = mainFlow(`- ${step}`, { policies: 'timeout: 2s, retry: { delay: 0ms, maxAttempts: 2 }' });
      const engine = await startEngine(t, yaml, {
        far: () => {
          streams.push(slow());
          return { stream: streams.at(-1) as PassThrough };
        },
      });
      const sent = assert.rejects(engine.send(), { code: 'timeout', facts: { endpoint: 'a', ms: 2000 } });
      await engine.clock.advance(4000);
      await sent;
      assert.deepEqual(
        streams.map((stream) => stream.destroyed),
        [true, true],
      );
    });
  }

  for (const step of [
    '- call: { endpoint: a }\n- wireTap: { steps: [ { log: { message: "${{ $response.status }}" } } ] }',
    '- call: { endpoint: a, compensate: [ { call: { endpoint: b, body: { undo: true } } } ] }',
  ]) {
    test(`is relayed where nobody looks at it: ${step}`, async (t) => {
      const stream = slow();
      const engine = await startEngine(t, mainFlow(step), { far: () => ({ stream }) });
      assert.equal((await engine.deliver())?.body.isStream, true);
    });
  }

  test('gives its connection back when a wire tap does not read it', async (t) => {
    const stream = slow();
    const engine = await startEngine(t, mainFlow('- wireTap: { steps: [ { call: { endpoint: a } } ] }'), {
      far: () => ({ stream }),
    });
    await engine.send();
    await engine.clock.advance(0);
    assert.equal(stream.destroyed, true);
  });

  test('gives its connection back where nobody waits for the end of the flow', async (t) => {
    const stream = slow();
    const yaml = mainFlow('- call: { endpoint: a }').replace('from: { test: {} }', 'from: { oneway: {} }');
    const engine = await startEngine(t, yaml, { far: () => ({ stream }) });
    await engine.deliver();
    assert.equal(stream.destroyed, true);
  });

  test('is relayed by onError for as long as it takes, though the deadline has passed', async (t) => {
    const stream = slow();
    const yaml = mainFlow('- delay: { for: 2s }', {
      flow: 'deadline: 1s\nonError: [ { steps: [ { call: { endpoint: a } } ] } ]',
    });
    const engine = await startEngine(t, yaml, { far: () => ({ stream }) });
    const sent = engine.deliver();
    await engine.clock.advance(1000);
    const exchange = await sent;
    assert.equal(exchange?.body.isStream, true);
    await engine.clock.advance(60_000);
    assert.equal(exchange?.life.aborted, false);
  });
});

describe('onError', () => {
  const flow = (more: string): string => mainFlow('- call: { endpoint: a }', { flow: `onError:\n${more}` });

  test('answers by code and kind, and sees the body as it came in', async (t) => {
    const engine = await startEngine(
      t,
      flow(`
  - on: [timeout, http-5xx]
    steps: [ { respond: { status: 503, headers: { retry-after: "5" }, body: { error: "\${{ $error.code }}", order: "\${{ orderId }}" } } } ]`),
    );
    engine.far = () => {
      throw failure('timeout', { endpoint: 'a', ms: 1 });
    };
    const reply = await engine.send({ body: { orderId: 'A1' } });
    assert.equal(reply.status, 503);
    assert.deepEqual(reply.body, { error: 'timeout', order: 'A1' });
    engine.far = () => {
      throw failure('connection', { endpoint: 'a', detail: 'x' });
    };
    await assert.rejects(engine.send({ body: {} }), { code: 'connection' });
  });

  test('still answers when the deadline has passed', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- delay: { for: 10s }', {
        flow: 'deadline: 1s\nonError: [ { steps: [ { respond: { status: 504, body: late } } ] } ]',
      }),
    );
    const sent = engine.send();
    await engine.clock.advance(1000);
    const reply = await sent;
    assert.equal(reply.status, 504);
    assert.equal(reply.body, 'late');
  });

  test('a condition that cannot be asked is an error with its place', async (t) => {
    const engine = await startEngine(t, flow('  - { when: "$error.code + 1 = 2", steps: [] }'), {
      far: () => {
        throw failure('timeout', { endpoint: 'a', ms: 1 });
      },
    });
    await assert.rejects(engine.send(), { code: 'expression', place: 'main/onError/0/when' });
  });

  test('its own error is the error of the message', async (t) => {
    const engine = await startEngine(t, flow('  - steps: [ { fail: { code: second } } ]'), {
      far: () => {
        throw failure('timeout', { endpoint: 'a', ms: 1 });
      },
    });
    await assert.rejects(engine.send(), { code: 'second', place: 'main/onError/0/steps/0 fail' });
  });
});

describe('stopping', () => {
  test('finishes what is under way', async (t) => {
    const engine = await startEngine(t, mainFlow('- delay: { for: 5s }\n- respond: { status: 201 }'));
    const sent = engine.send();
    await engine.clock.advance(0);
    const stopped = engine.runtime?.stop(10_000);
    await engine.clock.advance(5000);
    assert.equal((await sent).status, 201);
    assert.equal(await stopped, 0);
  });

  test('gives up the rest after its time, names it, and counts it', async (t) => {
    const engine = await startEngine(t, mainFlow('- delay: { for: 50s }'));
    const sent = assert.rejects(engine.send(), { kind: 'cancelled' });
    await engine.clock.advance(0);
    const stopped = engine.runtime?.stop(10_000);
    await engine.clock.advance(10_000);
    await sent;
    assert.equal(await stopped, 1);
    const given = engine.log.lines.filter((line) => line.message === 'a message was given up');
    assert.deepEqual(
      given.map((line) => [line.level, line.fields['place'], line.fields['outcome'], line.fields['ms']]),
      [['error', 'main/steps/0 delay', 'none', 10_000]],
    );
    assert.equal(engine.log.lines.filter((line) => line.message === 'a message failed').length, 0);
  });

  const toChannel = (steps: string): string =>
    mainFlow('- send: { endpoint: jobs }', {
      flows: `read:\n  from: { channel: { name: jobs } }\n  steps: [ ${steps} ]`,
    }).replace('  a: {', '  jobs: { channel: { name: jobs } }\n  a: {');

  test('empties the channels, and waits from one message to the next', async (t) => {
    const engine = await startEngine(t, toChannel('{ delay: { for: 1s } }, { call: { endpoint: a } }'));
    for (let i = 0; i < 5; i++) await engine.send();
    const stopped = engine.runtime?.stop(10_000);
    await engine.clock.advance(5000);
    assert.equal(await stopped, 0);
    assert.equal(engine.calls.length, 5);
  });

  test('gives up what still waits in a channel when its time is over; nothing new is begun then', async (t) => {
    const engine = await startEngine(t, toChannel('{ delay: { for: 1s } }, { call: { endpoint: a } }'));
    for (let i = 0; i < 5; i++) await engine.send();
    const stopped = engine.runtime?.stop(2500);
    await engine.clock.advance(2500);
    assert.equal(await stopped, 3);
    assert.equal(engine.calls.length, 2);
    const lost = engine.log.lines.filter((line) => line.message === 'A message of the channel failed and was given up');
    assert.equal(lost.length, 3);
    const named = engine.log.lines.filter((line) => line.message === 'a message was given up');
    assert.deepEqual(
      named.map((line) => line.fields['place']),
      ['read/steps/0 delay', 'read', 'read'],
    );
  });

  test('names the work beside the messages that does not end', async (t) => {
    const engine = await startEngine(t, mainFlow('- wireTap: { steps: [ { delay: { for: 1h } } ] }'));
    await engine.send();
    const stopped = engine.runtime?.stop(1000);
    await engine.clock.advance(5000);
    assert.equal(await stopped, 1);
    const [line] = engine.log.lines.filter((one) => one.message === 'work beside the messages was given up');
    assert.equal(line?.fields['what'], 'a wire tap of main');
  });

  test('waits for a wire tap as well', async (t) => {
    const engine = await startEngine(
      t,
      mainFlow('- wireTap: { steps: [ { delay: { for: 5s } }, { call: { endpoint: a } } ] }'),
    );
    await engine.send();
    const stopped = engine.runtime?.stop(10_000);
    await engine.clock.advance(5000);
    assert.equal(await stopped, 0);
    assert.deepEqual(engine.called, ['a']);
  });
});

describe('opening and closing', () => {
  test('one that fails or hangs keeps no other from being closed, and is named', async (t) => {
    const ended: string[] = [];
    const outside: Outside = {
      stop: async () => {
        throw new Error('no such consumer');
      },
      close: async (name) => {
        ended.push(name);
        if (name === 'main') throw new Error('the channel is closed');
        if (name === 'b') await new Promise(() => {});
      },
    };
    const engine = await startEngine(t, mainFlow('- call: { endpoint: a }'), { outside });
    const stopped = engine.runtime?.stop(0);
    await engine.clock.advance(5000);
    assert.equal(await stopped, 0);
    assert.deepEqual(ended, ['main', 'out', 'b', 'a']);
    const lines = engine.log.lines.filter((line) => line.level === 'error');
    const source = 'The source of the flow `main`';
    assert.deepEqual(
      lines.map((line) => [line.message, line.fields['what'], line.fields['detail']]),
      [
        ['something could not be stopped', source, 'no such consumer'],
        ['something could not be closed', source, 'the channel is closed'],
        ['something could not be closed', 'The endpoint `b`', 'It did not answer within 5000 ms'],
      ],
    );
  });

  test('a version that opens while the runtime stops is closed again', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dowel-reload-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const opened: string[] = [];
    let hold: Promise<void> | undefined;
    let goOn = (): void => {};
    const outside: Outside = {
      open: async (name) => {
        opened.push(name);
        await hold;
      },
      close: async (name) => void opened.splice(opened.indexOf(name), 1),
    };
    const engine = await startEngine(t, mainFlow('- respond: { body: old }'), { outside });
    hold = new Promise((resolve) => {
      goOn = resolve;
    });
    const swapped = assert.rejects(engine.start(folder, mainFlow('- respond: { body: new }'), {}), {
      code: 'stopping',
    });
    await eventually('it is opening', () => opened.length === 5);
    await engine.runtime?.stop(0);
    goOn();
    await swapped;
    assert.deepEqual(opened, []);
  });
});

describe('reloading', () => {
  test('twice at once leaves one version open, and nothing of the others', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dowel-reload-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const opened: string[] = [];
    const outside: Outside = {
      open: async (name) => void opened.push(name),
      close: async (name) => void opened.splice(opened.indexOf(name), 1),
    };
    const engine = await startEngine(t, mainFlow('- respond: { body: old }'), { outside });
    const version = (name: string): string => mainFlow(`- respond: { body: ${name} }`);
    await Promise.all([engine.start(folder, version('one'), {}), engine.start(folder, version('two'), {})]);
    await eventually('the others are closed', () => opened.length === 4);
    await engine.runtime?.stop(0);
    assert.deepEqual(opened, []);
  });

  test('the old one finishes its messages, new ones go to the new one', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dowel-reload-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const engine = await startEngine(t, mainFlow('- delay: { for: 1s }\n- respond: { body: old }'));
    const old = engine.send();
    await engine.clock.advance(0);
    const swapped = engine.start(folder, mainFlow('- respond: { body: new }'), {});
    await engine.clock.advance(0);
    assert.equal((await engine.send()).body, 'new');
    await engine.clock.advance(1000);
    assert.equal((await old).body, 'old');
    await swapped;
    assert.equal((await engine.send()).body, 'new');
  });

  test('a new version that cannot be opened leaves the old one as it was', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'dowel-reload-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const engine = await startEngine(t, mainFlow('- respond: { body: old }'));
    const files = { 'none.ts': 'export const other = 1;' };
    await assert.rejects(engine.start(folder, mainFlow('- script: { module: ./none.ts }'), { files }), {
      code: 'startup',
    });
    assert.equal((await engine.send()).body, 'old');
  });
});
