import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Project } from '../cli/support/project.ts';
import { subjects } from '../faults/subjects.ts';
import { startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { service } from '../support/http-service.ts';
import { readMetrics } from '../support/read-metrics.ts';

/** What there is of each kind; none is a multiple of another. */
const sent = { fine: 23, flaky: 7, broken: 5, nothing: 3 } as const;
type Kind = keyof typeof sent;
const total = Object.values<number>(sent).reduce((sum, one) => sum + one);

const definition = (
  far: string,
  from: string,
  to: { readonly endpoint: string; readonly send: string } | undefined,
) => `
dowel: 1
name: counted
server: { port: 0, host: 127.0.0.1 }
admin: { port: 0 }
store: { memory: {} }
endpoints:
  far: { http: { url: "${far}" } }
${to ? `  waiting: { ${to.endpoint} }` : ''}
flows:
${to ? `  put: { from: { http: { path: /feed } }, steps: [ { send: { endpoint: waiting, ${to.send} } } ] }` : ''}
  take:
    from: { ${from} }
    redelivery: { maxAttempts: 5, delay: 5ms, maxDelay: 10ms }
    steps:
      - filter: { when: 'kind != "nothing"' }
      - call: { endpoint: far, http: { method: GET, path: "/\${{ kind }}/\${{ id }}" } }
`;

// Files are tried again by their source, which settles nothing.
for (const subject of subjects.filter(({ name }) => name !== 'file')) {
  test(`figures of ${subject.name} agree exactly with what was counted outside`, async (t) => {
    const why = await subject.missing();
    if (why !== undefined && (subject.optional || !process.env['CI'])) {
      t.skip(why);
      return;
    }
    assert.equal(why, undefined);
    const hits = new Map<string, number>();
    const far = await service(t, (request, response) => {
      const [, kind = '', id = ''] = request.url?.split('/') ?? [];
      const nth = (hits.get(id) ?? 0) + 1;
      hits.set(id, nth);
      const status = kind === 'broken' ? 404 : kind === 'flaky' && nth === 1 ? 503 : 200;
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
    await using waiting = await subject.start(true);
    const project = new Project(t, { 'integration.yaml': definition(far, waiting.from, waiting.to) });
    await using dowel = await startDowel(project.path());
    const kinds = Object.entries(sent).flatMap(([kind, count]) => Array.from({ length: count }, () => kind as Kind));
    const statuses: number[] = [];
    for (const [nth, kind] of kinds.entries()) {
      const body = JSON.stringify({ kind, id: `m${nth}` });
      const headers = { 'content-type': 'application/json' };
      statuses.push((await fetch(`${dowel.url}/feed`, { method: 'POST', headers, body })).status);
    }
    const metrics = async (): Promise<ReadonlyMap<string, number>> =>
      readMetrics(await (await fetch(`http://127.0.0.1:${dowel.adminPort}/metrics`)).text());
    const settled = (figures: ReadonlyMap<string, number>): number =>
      (figures.get('dowel_messages_total{flow="take",outcome="done",code=""}') ?? 0) +
      (figures.get('dowel_messages_total{flow="take",outcome="dropped",code=""}') ?? 0) +
      (figures.get('dowel_dead_letters_total{flow="take"}') ?? 0);
    await eventually('all are settled', async () => settled(await metrics()) === total);
    const figures = await metrics();
    const messages = (outcome: string, code = ''): number | undefined =>
      figures.get(`dowel_messages_total{flow="take",outcome="${outcome}",code="${code}"}`);
    assert.deepEqual(
      [messages('done'), messages('dropped'), messages('failed', 'http-503'), messages('failed', 'http-404')],
      [sent.fine + sent.flaky, sent.nothing, sent.flaky, sent.broken],
    );
    const asked = [...hits.values()].reduce((sum, one) => sum + one);
    assert.equal(figures.get('dowel_message_duration_seconds_count{flow="take"}'), asked + sent.nothing);
    assert.equal(figures.get('dowel_call_attempts_total{endpoint="far"}'), asked);
    assert.equal(figures.get('dowel_redeliveries_total{flow="take"}'), sent.flaky);
    assert.equal(figures.get('dowel_dead_letters_total{flow="take"}'), sent.broken);
    for (const none of ['unsettled', 'in_flight', 'held_total', 'released_total']) {
      assert.equal(figures.get(`dowel_messages_${none}{flow="take"}`), 0, none);
    }
    const status = waiting.to ? 200 : 202;
    assert.deepEqual(new Set(statuses), new Set([status]));
    const labels = `http_request_method="POST",http_route="/feed",http_response_status_code="${status}"`;
    assert.equal(figures.get(`http_server_request_duration_seconds_count{${labels}}`), total);
    const handedOver = waiting.to
      ? figures.get('dowel_calls_total{endpoint="waiting",outcome="done",code=""}')
      : figures.get('dowel_queue_accepted_total{queue="accepted:take"}');
    assert.equal(handedOver, total);
  });
}
