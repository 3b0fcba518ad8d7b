import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadAll } from 'js-yaml';
import { writeYaml } from '../../src/integration/write-yaml.ts';
import { root } from '../support/child-process.ts';
import { at, manifestsOfFile, ofKind } from './support/manifests.ts';
import { assertValid } from './support/schemas.ts';

const all = globSync('integrations/**/integration.yaml', { cwd: root }).sort();
/** They share a script, which a ConfigMap of their own folder cannot hold. */
const sharing = ['cars', 'flights', 'hotels'].map((name) => `integrations/backends/${name}/integration.yaml`);
const files = all.filter((file) => !sharing.includes(file));

test('there are examples', () => assert.ok(files.length > 30));

for (const file of sharing) {
  test(`${file}: is told why there are no manifests`, async () => {
    const { manifests, problems } = await manifestsOfFile(join(root, file));
    assert.deepEqual(manifests, []);
    assert.match(problems.join(), /^\.\.\/bookings\.ts lies outside of the folder/);
  });
}

for (const file of files) {
  test(`${file}: manifests as Kubernetes takes them, and the same again when their YAML is read`, async () => {
    const { manifests, problems } = await manifestsOfFile(join(root, file), {}, { namespace: 'shop' });
    assert.deepEqual(problems, []);
    for (const manifest of manifests) {
      assertValid(manifest);
      assert.equal(manifest.metadata.namespace, 'shop');
    }
    assert.deepEqual(loadAll(writeYaml(manifests)), manifests);
    const names = manifests.map((one) => `${one.kind} ${one.metadata.name}`);
    assert.equal(new Set(names).size, names.length);
  });

  test(`${file}: all that the pods refer to is there`, async () => {
    const { manifests } = await manifestsOfFile(join(root, file));
    const pod = at(ofKind(manifests, 'Deployment'), 'spec.template.spec');
    const volumes = (at(pod, 'volumes') as readonly { readonly name: string }[]).map((one) => one.name);
    for (const mount of at(pod, 'containers.0.volumeMounts') as readonly { readonly name: string }[]) {
      assert.ok(volumes.includes(mount.name), mount.name);
    }
    const text = JSON.stringify(pod);
    const named = [...text.matchAll(/"(?:configMap|configMapRef)":\{"name":"([^"]+)"|"claimName":"([^"]+)"/g)];
    const there = manifests.map((one) => one.metadata.name);
    for (const [, map, claim] of named) assert.ok(there.includes(map ?? claim ?? ''), map ?? claim);
    assert.ok(named.length > 0);
  });
}

test('the schemas refuse what is wrong', async () => {
  const { manifests } = await manifestsOfFile(join(root, 'integrations/quotes/integration.yaml'));
  const deployment = ofKind(manifests, 'Deployment');
  assert.throws(() => assertValid({ ...deployment, spec: { ...(deployment['spec'] as object), replicas: 'two' } }));
});
