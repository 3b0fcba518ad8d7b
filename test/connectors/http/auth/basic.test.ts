import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, behind, seen, startGuarded } from './support.ts';

const users =
  '{ basic: { users: [{ name: ada, password: "pa:ss" }, { name: "Zoë", password: "geheim é", scopes: [all] }] } }';
const basic = (pair: string): Readonly<Record<string, string>> => ({
  authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
});

describe('an http source with `auth: basic`', () => {
  it('knows a caller by name and password, in UTF-8, with a colon in the password', async (t) => {
    const running = await startGuarded(t, behind(users));
    const { identity, headers } = seen(await ask(running, basic('ada:pa:ss')));
    assert.deepEqual(identity, { scheme: 'basic', subject: 'ada', scopes: [], claims: {} });
    assert.equal(headers['authorization'], undefined);
    assert.deepEqual(seen(await ask(running, basic('Zoë:geheim é'))).identity['scopes'], ['all']);
  });

  it('refuses everything else', async (t) => {
    const running = await startGuarded(t, behind(users));
    const wrong = [
      basic('ada:pass'),
      basic('ada:'),
      basic('ada'),
      basic(':'),
      basic('Zoë:pa:ss'),
      { authorization: 'Basic' },
    ];
    for (const headers of [...wrong, { authorization: 'Basic !!!' }, { authorization: 'Digest abc' }, {}]) {
      const reply = await ask(running, headers);
      assert.equal(reply.status, 401, JSON.stringify(headers));
      assert.equal(reply.headers['www-authenticate'], 'Basic realm="tried", charset="UTF-8"');
    }
    assert.equal(running.refused('unknown'), 5);
    assert.equal(running.refused('malformed'), 1);
  });
});
