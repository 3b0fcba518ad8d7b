import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connectors } from '../../connectors/index.ts';
import { root } from '../support/child-process.ts';
import { parseDockerfile } from './dockerfile.ts';
import { ignoring } from './dockerignore.ts';
import { lint } from './lint.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const dockerfile = read('Dockerfile');
const dockerignore = read('.dockerignore');

describe('the Dockerfile', () => {
  test('has no finding', () => {
    assert.deepEqual(lint(dockerfile, dockerignore, root), []);
  });

  const mistakes: readonly [what: string, from: RegExp, to: string, finding: RegExp][] = [
    ['a moving version', /FROM node:\S+\n/, 'FROM node:latest\n', /not a fixed version/],
    ['another Node than the tested one', /FROM node:\S+\n/, 'FROM node:26.1.0-slim\n', /another Node/],
    ['a root user', /USER \S+\n(?=EXPOSE)/, '', /USER must be a number/],
    ['a user by name', /USER \S+\n(?=EXPOSE)/, 'USER node\n', /USER must be a number/],
    ['a command in a shell', /CMD \["run".*/, 'CMD run /integration/integration.yaml', /exec form/],
    ['npm as the first process', /ENTRYPOINT .*/, 'ENTRYPOINT ["npm", "run", "dowel", "--"]', /node itself/],
    ['another file', /"\/integration\/integration\.yaml"/, '"/app/integration.yaml"', /integration\.yaml/],
    ['no health check', /HEALTHCHECK .*/, '', /HEALTHCHECK/],
    ['another signal', /STOPSIGNAL SIGTERM/, 'STOPSIGNAL SIGKILL', /STOPSIGNAL/],
    ['something that is not there', /COPY src src/, 'COPY source src', /there is no source/],
    ['something that is kept out', /COPY src src/, 'COPY test test', /kept out/],
    ['a stage that is not there', /--from=build/, '--from=builder', /no stage builder/],
    ['a secret', /ENV NODE_ENV/, 'ENV NPM_TOKEN=x NODE_ENV', /secret/],
    ['a command in the last stage', /EXPOSE/, 'RUN true\nEXPOSE', /only copies/],
  ];
  for (const [what, from, to, finding] of mistakes) {
    test(`would be refused with ${what}`, () => {
      const broken = dockerfile.replace(from, to);
      assert.notEqual(broken, dockerfile, 'the mistake is in it');
      const findings = lint(broken, dockerignore, root);
      assert.ok(
        findings.some((one) => finding.test(one)),
        findings.join('\n'),
      );
    });
  }

  test('installs by the lock file, without what is only for developing, before the sources come', () => {
    const [build] = parseDockerfile(dockerfile);
    const steps = build?.instructions.map((one) => `${one.name} ${one.text}`) ?? [];
    const install = steps.findIndex((step) => /^RUN npm ci .*--omit=dev/.test(step));
    assert.ok(install > 0, steps.join('\n'));
    assert.ok(install < steps.indexOf('COPY src src'), 'a changed source does not install again');
  });
});

describe('.dockerignore', () => {
  const isIgnored = ignoring(dockerignore);

  test('keeps out what is no part of the image', () => {
    for (const path of [
      '.git/config',
      'node_modules/ajv/package.json',
      '.env',
      'test/run.ts',
      'integrations/order',
      '.cache',
    ])
      assert.ok(isIgnored(path), path);
  });

  test('lets in all that runs', () => {
    const files = globSync(['bin/**/*.js', 'src/**/*.ts', 'connectors/**/*.ts', 'container/*'], { cwd: root });
    assert.ok(files.length > 100);
    for (const path of files) assert.ok(!isIgnored(path), path);
  });
});

/** Their clients are no part of the image: whoever needs one adds it. */
const optional: readonly string[] = ['kafka', 'nats', 'redis'];

test('the warm-up uses every connector whose client is in the image, as a source and as an endpoint', () => {
  const text = read('container/warm-up.yaml');
  for (const [name, { source, endpoint }] of Object.entries(connectors)) {
    if (optional.includes(name)) continue;
    const uses = text.match(new RegExp(`^ {4,6}${name}:`, 'gm'))?.length ?? 0;
    assert.equal(uses, (source ? 1 : 0) + (endpoint ? 1 : 0), name);
  }
});
