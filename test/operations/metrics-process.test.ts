import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Project } from '../cli/support/project.ts';
import { startDowel } from '../support/dowel-process.ts';
import { service } from '../support/http-service.ts';
import { readMetrics } from '../support/read-metrics.ts';

const yaml = (far: string): string => `
dowel: 1
name: counted
version: 1.2.3
server: { port: 0, host: 127.0.0.1 }
admin: { port: 0 }
endpoints:
  far:
    http: { url: "${far}" }
    retry: { maxAttempts: 2, delay: 1ms, maxDelay: 2ms }
    circuitBreaker: { minCalls: 1000 }
    bulkhead: { max: 5 }
flows:
  orders:
    from: { http: { method: POST, path: /orders } }
    steps:
      - filter: { when: 'kind != "nothing"' }
      - call: { endpoint: far, http: { method: GET, path: "/\${{ kind }}" } }
`;

test('figures on /metrics agree exactly with what was counted outside', async (t) => {
  const hits = { fine: 0, broken: 0, absent: 0 };
  const far = await service(t, (request, response) => {
    const kind = request.url?.slice(1) as keyof typeof hits;
    hits[kind] += 1;
    response.writeHead({ fine: 200, broken: 503, absent: 404 }[kind], { 'content-type': 'application/json' }).end('{}');
  });
  const project = new Project(t, { 'integration.yaml': yaml(far) });
  await using dowel = await startDowel(project.path('integration.yaml'));
  const sent = { fine: 40, broken: 7, absent: 5, nothing: 3 };
  const statuses: number[] = [];
  for (const [kind, count] of Object.entries(sent)) {
    for (let nth = 0; nth < count; nth++) {
      const body = JSON.stringify({ kind });
      const headers = { 'content-type': 'application/json' };
      // One after the other: the bulkhead is to reject none of them.
      const { status } = await fetch(`${dowel.url}/orders`, { method: 'POST', headers, body });
      statuses.push(status);
    }
  }
  for (const method of ['GET', 'GET', 'PROPFIND']) await fetch(`${dowel.url}/nothing-here`, { method });
  const response = await fetch(`http://127.0.0.1:${dowel.adminPort}/metrics`);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const metrics = readMetrics(await response.text());
  const messages = (outcome: string, code = ''): number | undefined =>
    metrics.get(`dowel_messages_total{flow="orders",outcome="${outcome}",code="${code}"}`);
  assert.equal(messages('done'), statuses.filter((one) => one === 200).length);
  assert.equal(messages('dropped'), sent.nothing);
  assert.equal(messages('failed', 'http-503'), sent.broken);
  assert.equal(messages('failed', 'http-404'), sent.absent);
  const requests = (method: string, route: string, status: number): number | undefined => {
    const labels = `http_request_method="${method}",http_route="${route}",http_response_status_code="${status}"`;
    return metrics.get(`http_server_request_duration_seconds_count{${labels}}`);
  };
  assert.equal(requests('POST', '/orders', 200), sent.fine);
  assert.equal(requests('POST', '/orders', 204), sent.nothing);
  const told = new Set(statuses);
  assert.deepEqual([...told].sort(), [200, 204, 502]);
  for (const status of told) {
    assert.equal(requests('POST', '/orders', status), statuses.filter((one) => one === status).length, `${status}`);
  }
  assert.equal(requests('GET', '', 404), 2);
  assert.equal(requests('_OTHER', '', 404), 1);
  assert.equal(metrics.get('dowel_message_duration_seconds_count{flow="orders"}'), statuses.length);
  assert.equal(metrics.get('dowel_messages_in_flight{flow="orders"}'), 0);
  assert.equal(metrics.get('dowel_call_attempts_total{endpoint="far"}'), hits.fine + hits.broken + hits.absent);
  assert.equal(metrics.get('dowel_calls_total{endpoint="far",outcome="done",code=""}'), sent.fine);
  const retries = metrics.get('dowel_call_retries_total{endpoint="far"}');
  assert.equal(retries, hits.broken - sent.broken);
  assert.equal(metrics.get('dowel_circuit_breaker_state{endpoint="far",state="closed"}'), 1);
  assert.equal(metrics.get('dowel_circuit_breaker_state{endpoint="far",state="open"}'), 0);
  assert.equal(metrics.get('dowel_bulkhead_running{endpoint="far"}'), 0);
  const info = `dowel_info{integration="counted",version="1.2.3",node="${process.versions.node}"}`;
  assert.equal(metrics.get(info), 1);
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds']) {
    assert.ok((metrics.get(name) ?? 0) > 0, name);
  }
});
