import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TemplateSource } from '../../src/core/written.ts';
import { found, load, loadRight } from './support/loading.ts';

const withConfig = (config: string, rest = ''): string => `dowel: 1
name: t
config:
${config}
${rest}flows: { f: { from: { timer: { every: 1s } }, steps: [] } }
`;

describe('values of the environment', () => {
  test('take the types that are declared; expressions see them as such', async (t) => {
    const { config } = await loadRight(
      t,
      withConfig(`  TEXT: {}
  COUNT: { type: integer }
  RATIO: { type: number }
  FLAG: { type: boolean }
  URL: { type: uri }
  WAIT: { type: duration }
  LIMIT: { type: size }`),
      {
        env: {
          TEXT: '007',
          COUNT: '-12',
          RATIO: '0.25',
          FLAG: 'false',
          URL: 'https://a.example/x?y=1',
          WAIT: '5s',
          LIMIT: '64kb',
        },
      },
    );
    assert.deepEqual(config, {
      TEXT: '007',
      COUNT: -12,
      RATIO: 0.25,
      FLAG: false,
      URL: 'https://a.example/x?y=1',
      WAIT: '5s',
      LIMIT: '64kb',
    });
  });

  test('win over defaults; an empty one counts as not set', async (t) => {
    const yaml = withConfig('  A: { default: a }\n  B: { default: b }\n  C: { type: integer, default: 3 }');
    assert.deepEqual((await loadRight(t, yaml, { env: { A: 'x', B: '' } })).config, { A: 'x', B: 'b', C: 3 });
  });

  test('all that are missing are told at once, each where it is declared, with what to set', async (t) => {
    const yaml = withConfig(
      '  PORT: { type: integer }\n  URL: { type: uri, description: where the stock is }\n  KEY: { secret: true }\n  OK: { default: x }',
    );
    assert.deepEqual(await found(t, yaml, { env: { PORT: '' } }), [
      '4:3 config-missing `PORT` is not set: set the environment variable PORT=…, or give it a `default`',
      '5:3 config-missing `URL` (where the stock is) is not set: set the environment variable URL=…, or give it a `default`',
      '6:3 config-missing `KEY` is not set: set the environment variable KEY=…, or KEY_FILE=… with the path of a file that holds it',
    ]);
  });

  test('that do not fit are told once, however often they are used', async (t) => {
    const yaml = withConfig(
      '  PORT: { type: integer }\n  URL: { type: uri }\n  WAIT: { type: duration }\n  FLAG: { type: boolean }',
      'server: { port: "${PORT}" }\nadmin: { port: "${PORT}" }\n',
    );
    const env = { PORT: '80a', URL: 'localhost:80', WAIT: '5', FLAG: 'yes' };
    assert.deepEqual(await found(t, yaml, { env }), [
      '4:3 config-invalid `PORT` must be an integer; found "80a" in the environment',
      '5:3 config-invalid `URL` must be a URI such as `http://localhost:8080`; found "localhost:80" in the environment',
      '6:3 config-invalid `WAIT` is not a duration: found "5" in the environment; a duration is a number with a unit: `500ms`, `5s`, `2m`, `1h` or `7d`',
      '7:3 config-invalid `FLAG` must be `true` or `false`; found "yes" in the environment',
    ]);
  });

  test('are checked by the option they are used for, too', async (t) => {
    const yaml = withConfig(
      '  PORT: { type: integer }\n  LEVEL: {}',
      'server: { port: "${PORT}" }\nlog: { level: "${LEVEL}" }\n',
    );
    assert.deepEqual(await found(t, yaml, { env: { PORT: '99999', LEVEL: 'loud' } }), [
      '6:17 wrong-value `port` must be an integer from 0 to 65535; found "99999", the value of `${PORT}`',
      '7:15 wrong-value `level` must be one of `debug`, `info`, `warn` or `error`; found "loud", the value of `${LEVEL}`',
    ]);
  });

  test('are not asked for by `validate`, and nothing that depends on them is judged', async (t) => {
    const yaml = `dowel: 1
name: t
config: { PORT: { type: integer }, URL: { type: uri }, CRON: {}, KEY: { secret: true } }
server: { port: "\${PORT}" }
endpoints: { e: { http: { url: "\${URL}", auth: { bearer: { token: "\${KEY}" } } } } }
flows: { f: { from: { timer: { cron: "\${CRON}" } }, steps: [ { send: { endpoint: e, http: { path: "/\${PORT}" } } } ] } }
`;
    assert.deepEqual(await found(t, yaml, { config: 'optional' }), []);
    assert.equal((await found(t, yaml)).length, 4);
  });

  test('that may be left unset: an option that is only such a value counts as not written', async (t) => {
    const yaml = withConfig(
      '  LEVEL: { required: false }\n  HOST: { required: false }',
      'server: { host: "${HOST}" }\nlog: { level: "${LEVEL}" }\n',
    );
    const source = await loadRight(t, yaml, { env: { HOST: '127.0.0.1' } });
    assert.deepEqual([source.log.level, source.server.host, source.config['LEVEL']], ['info', '127.0.0.1', undefined]);
    const part = withConfig('  HOST: { required: false }', 'endpoints: { e: { http: { url: "http://${HOST}/" } } }\n');
    assert.deepEqual(await found(t, part), [
      '5:40 config-missing `HOST` is not set, and it is needed as a part of this text',
    ]);
  });
});

describe('files that variables name', () => {
  test('give their text, without the line end', async (t) => {
    const yaml = withConfig('  KEY: { secret: true }\n  COUNT: { type: integer }');
    const source = await loadRight(t, yaml, {
      env: { KEY_FILE: '<folder>/key', COUNT_FILE: '<folder>/count' },
      files: { key: 'top secret\n', count: '7\r\n' },
    });
    assert.deepEqual([source.config, source.secrets], [{ COUNT: 7 }, ['top secret']]);
  });

  test('that are missing or empty, or compete with the variable, are told', async (t) => {
    const yaml = withConfig('  A: {}\n  B: {}\n  C: {}\n  D: {}');
    const env = { A_FILE: '<folder>/none', B_FILE: '<folder>/empty', C: 'c', C_FILE: '<folder>/c', D_FILE: '<folder>' };
    const lines = (await found(t, yaml, { env, files: { empty: '\n', c: 'c' } })).map((line) =>
      line.replaceAll(/\S*dowel-load-\w+/g, '<folder>'),
    );
    assert.deepEqual(lines, [
      '4:3 config-missing The file that A_FILE names does not exist: <folder>/none',
      '5:3 config-missing The file that B_FILE names is empty: <folder>/empty',
      '6:3 config-conflict Both C and C_FILE are set in the environment: unset one of them',
      '7:3 config-missing The file that D_FILE names cannot be read: <folder>',
    ]);
  });

  test('are no such thing where the name with _FILE is declared itself', async (t) => {
    const yaml = withConfig('  AUDIT: { default: a }\n  AUDIT_FILE: {}');
    const { config } = await loadRight(t, yaml, { env: { AUDIT_FILE: './audit.jsonl' } });
    assert.deepEqual(config, { AUDIT: 'a', AUDIT_FILE: './audit.jsonl' });
  });
});

describe('secrets', () => {
  test('are known to be hidden, and not to expressions', async (t) => {
    const yaml = withConfig(
      '  KEY: { secret: true }\n  URL: { type: uri, default: "amqp://u:p@h", secret: true }\n  A: { default: b }',
    );
    const source = await loadRight(t, yaml, { env: { KEY: 's3cret' } });
    assert.deepEqual(source.config, { A: 'b' });
    assert.deepEqual(source.secretNames, ['KEY', 'URL']);
    assert.deepEqual([...source.secrets].sort(), ['amqp://u:p@h', 's3cret']);
  });

  test('that stand in the file, or come by a value that is not secret, are hidden as well', async (t) => {
    const yaml = `dowel: 1
name: t
config: { TOKEN: { default: open } }
endpoints:
  a: { http: { url: http://a, auth: { basic: { username: u, password: written } } } }
  b: { http: { url: http://a, auth: { bearer: { token: "\${TOKEN}" } } } }
flows: { f: { from: { timer: { every: 1s } }, steps: [] } }
`;
    const { source, diagnostics } = await load(t, yaml);
    assert.deepEqual(source?.secrets, ['written', 'open']);
    assert.deepEqual(
      diagnostics.map((one) => [one.severity, one.code]),
      [
        ['warning', 'open-secret'],
        ['warning', 'open-secret'],
      ],
    );
  });

  test('are never part of a message', async (t) => {
    const yaml = withConfig(
      '  A: { secret: true, type: integer }\n  B: { secret: true }',
      'server: { port: "${B}" }\nlog: { level: "${B}" }\nendpoints: { e: { http: { url: "x ${B}" }, timeout: "${B}" } }\n',
    );
    const lines = await found(t, yaml, { env: { A: 'hunter2', B: 'hunter3' } });
    assert.equal(lines.length, 5);
    for (const line of lines) assert.doesNotMatch(line, /hunter/);
    assert.match(lines[0] ?? '', /`A` must be an integer; found another text in the environment/);
    assert.match(lines[1] ?? '', /found the value of `\$\{B\}`/);
  });
});

describe('where a value goes', () => {
  const yaml = `dowel: 1
name: t
config:
  PORT: { type: integer, default: 8080 }
  HOST: { default: example.org }
  ODD: {}
endpoints:
  e: { http: { url: "http://\${HOST}:\${PORT}/v1" } }
flows:
  f:
    from: { timer: { every: 1s } }
    steps:
      - set:
          body:
            port: "\${PORT}"
            text: "port \${PORT} of \${HOST}, \${{ id }}"
            odd: "\${ODD}"
            joined: "<\${ODD}>"
            literal: "$\${PORT} $\${{ x }}"
`;

  test('inside of text it is text; alone in a template it keeps its type; what looks like a hole in it is text', async (t) => {
    const source = await loadRight(t, yaml, { env: { ODD: '${{ $evil }} $x' } });
    const endpoint = source.endpoints['e']?.connector.options as { readonly url: string } | undefined;
    assert.equal(endpoint?.url, 'http://example.org:8080/v1');
    const options = source.flows['f']?.steps[0]?.options as { readonly body: TemplateSource } | undefined;
    assert.ok(options?.body instanceof TemplateSource);
    assert.deepEqual(options.body.value, {
      port: 8080,
      text: 'port 8080 of example.org, ${{ id }}',
      odd: '$${{ $evil }} $x',
      joined: '<$${{ $evil }} $x>',
      literal: '${PORT} $${{ x }}',
    });
  });

  test('`$${` is a literal `${` in options, too', async (t) => {
    const source = await loadRight(t, withConfig('  A: { default: a }', 'server: { host: "$${A} ${A} $${{ a }}" }\n'));
    assert.equal(source.server.host, '${A} a ${{ a }}');
  });

  test('a value called like a state of the reader is a value', async (t) => {
    for (const word of ['absent', 'unknown', 'reported']) {
      const given = withConfig(`  A: { default: ${word} }`, 'server: { host: "${A}" }\ndescription: "is ${A}"\n');
      const source = await loadRight(t, given);
      assert.deepEqual([source.server.host, source.description], [word, `is ${word}`]);
    }
  });
});
