import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { examples, folder } from './example.ts';
import { testPage } from './page.ts';

/** Those that want a broker are tried with one, in tests of their own. */
const wantsBroker = (name: string): boolean =>
  /(amqp|mqtt|kafka|nats|redis)s?:\/\//.test(readFileSync(join(folder, name, 'integration.yaml'), 'utf8'));

for (const name of examples) if (!wantsBroker(name)) testPage(name);
