import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileExpression } from '../../src/expression/expression.ts';

const scope = (variables: Readonly<Record<string, unknown>>) => ({
  body: () => undefined,
  variable: (name: string) => variables[name],
  now: () => 0,
  random: () => 0,
  uuid: () => '',
});

test('$error is the error that was caught, not the function of JSONata', async () => {
  const error = { code: 'http-404', facts: { endpoint: 'inventory' } };
  for (const [source, value] of [
    ['$error.code', 'http-404'],
    ['$error.facts.endpoint = "inventory"', true],
    // Only the interpreter can do this.
    ['([1..2].($error.code))[0]', 'http-404'],
  ] as const) {
    const expression = compileExpression(source);
    assert.deepEqual([...expression.variables.keys()], ['error'], source);
    assert.equal(await expression.evaluate(scope({ error })), value, source);
  }
});

test('where no error is known $error is nothing, and never the function of JSONata', async () => {
  assert.equal(await compileExpression('$error.code').evaluate(scope({})), undefined);
  assert.equal(await compileExpression('$exists($error)').evaluate(scope({})), false);
  assert.equal(await compileExpression('([1..2].($exists($error)))[0]').evaluate(scope({})), false);
});
