import { connectors } from '../../connectors/index.ts';
import { compileExpression } from '../expression/expression.ts';
import { jsonSchemas } from '../schema/validator.ts';
import { steps } from '../steps/index.ts';
import type { TestTools } from '../testing/prepare.ts';

/** What tests are made with: schemas and expressions are compiled once, however many tests use them. */
export function testTools(jsonSchema = jsonSchemas()): TestTools {
  return {
    steps,
    connectors,
    jsonSchema: remembered(jsonSchema, JSON.stringify),
    expression: remembered(compileExpression, (source) => source),
  };
}

function remembered<A, R>(make: (from: A) => R, keyOf: (from: A) => string): (from: A) => R {
  const known = new Map<string, R>();
  return (from) => {
    const key = keyOf(from);
    const made = known.get(key) ?? make(from);
    known.set(key, made);
    return made;
  };
}
