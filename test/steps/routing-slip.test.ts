import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mainFlow, startEngine } from '../support/engine.ts';

const flows = `
double: { steps: [ { transform: '{ "n": n * 2, "slip": slip }' } ] }
add: { steps: [ { transform: '{ "n": n + 1, "slip": slip }' } ] }
drop: { steps: [ { filter: { when: n > 100 } } ] }
tell: { steps: [ { call: { endpoint: a, test: { path: "tell/\${{ n }}" } } } ] }
`;
const slip = mainFlow('- routingSlip: { flows: slip, among: [double, add, drop, tell] }\n- transform: n', { flows });

describe('routingSlip', () => {
  test('runs the flows that the message names, in its order, as often as it names them', async (t) => {
    const engine = await startEngine(t, slip);
    assert.equal((await engine.send({ body: { n: 3, slip: ['double', 'add'] } })).body, 7);
    assert.equal((await engine.send({ body: { n: 3, slip: ['add', 'double'] } })).body, 8);
    assert.equal((await engine.send({ body: { n: 3, slip: ['double', 'double', 'double'] } })).body, 24);
    assert.equal((await engine.send({ body: { n: 3, slip: 'add' } })).body, 4);
  });

  test('a slip of nothing changes nothing', async (t) => {
    const engine = await startEngine(t, slip);
    assert.equal((await engine.send({ body: { n: 3 } })).body, 3);
    assert.equal((await engine.send({ body: { n: 3, slip: [] } })).body, 3);
  });

  test('a name that is not among its flows is a permanent error, before anything is run', async (t) => {
    const engine = await startEngine(t, slip);
    for (const name of ['main', 'out', 'constructor', '', 7, null]) {
      await assert.rejects(engine.send({ body: { n: 3, slip: ['tell', name] } }), {
        code: 'unknown-flow',
        kind: 'permanent',
        status: 400,
        message: `The routing slip named ${JSON.stringify(name)}, which is not one of its flows: double, add, drop, tell`,
      });
    }
    assert.deepEqual(engine.called, []);
  });

  test('a slip without an end is refused', async (t) => {
    const engine = await startEngine(t, slip);
    const body = { n: 1, slip: Array.from({ length: 101 }, () => 'add') };
    await assert.rejects(engine.send({ body }), { code: 'validation', message: /names 101 flows; at most 100/ });
  });

  test('a flow that ends quietly ends the slip: what stands behind it is not run', async (t) => {
    const engine = await startEngine(t, slip);
    const { body } = await engine.send({ body: { n: 1, slip: ['drop', 'tell'] } });
    assert.equal(body, undefined);
    assert.deepEqual(engine.called, []);
  });

  test('the same flow twice in a durable message is two executions', async (t) => {
    const yaml = mainFlow(`- routingSlip: { flows: slip, among: [tell] }`, {
      flow: 'durable: true',
      flows: 'tell: { steps: [ { call: { endpoint: a, test: { path: x }, as: told } } ] }',
    });
    const engine = await startEngine(t, yaml);
    await engine.send({ body: { slip: ['tell', 'tell'] } });
    assert.deepEqual(engine.called, ['a x', 'a x']);
  });

  test('a flow that runs itself by a slip is a mistake of the definition', async (t) => {
    const yaml = mainFlow('- run: { flow: round }', {
      flows: 'round: { steps: [ { routingSlip: { flows: slip, among: [round] } } ] }',
    });
    await assert.rejects(startEngine(t, yaml), /circular-run: The flow `round` runs itself without an end/);
  });
});
