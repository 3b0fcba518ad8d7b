import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeterScope } from '../../src/core/meter.ts';
import { Metrics } from '../../src/operations/metrics.ts';

test('counters, with and without labels, in the text format of Prometheus', () => {
  const metrics = new Metrics();
  metrics.counter('dowel_a_total', 'All of a.').add();
  const one = metrics.counter('dowel_b_total', 'Those of b.', { flow: 'x', outcome: 'done' });
  one.add();
  one.add(2);
  metrics.counter('dowel_b_total', 'Those of b.', { flow: 'x', outcome: 'failed' }).add(0);
  assert.equal(
    metrics.text(),
    [
      '# HELP dowel_a_total All of a.',
      '# TYPE dowel_a_total counter',
      'dowel_a_total 1',
      '# HELP dowel_b_total Those of b.',
      '# TYPE dowel_b_total counter',
      'dowel_b_total{flow="x",outcome="done"} 3',
      'dowel_b_total{flow="x",outcome="failed"} 0',
      '',
    ].join('\n'),
  );
});

test('the same series is asked for twice, as after a reload: it goes on', () => {
  const metrics = new Metrics();
  metrics.counter('dowel_a_total', 'All.', { flow: 'x' }).add();
  metrics.counter('dowel_a_total', 'All.', { flow: 'x' }).add();
  assert.match(metrics.text(), /^dowel_a_total\{flow="x"\} 2$/m);
});

test('a histogram counts what is at most as long as each bound, and all of it', () => {
  const metrics = new Metrics();
  const histogram = metrics.histogram('dowel_t_seconds', 'How long.', { flow: 'x' });
  for (const seconds of [0.0005, 0.001, 0.0015, 0.4, 3600]) histogram.record(seconds);
  const value = (line: string): number => {
    const found = metrics
      .text()
      .split('\n')
      .find((one) => one.startsWith(`${line} `));
    return Number(found?.split(' ').at(-1));
  };
  assert.equal(value('dowel_t_seconds_bucket{flow="x",le="0.001"}'), 2);
  assert.equal(value('dowel_t_seconds_bucket{flow="x",le="0.002"}'), 3);
  assert.equal(value('dowel_t_seconds_bucket{flow="x",le="0.25"}'), 3);
  assert.equal(value('dowel_t_seconds_bucket{flow="x",le="0.5"}'), 4);
  assert.equal(value('dowel_t_seconds_bucket{flow="x",le="60"}'), 4);
  assert.equal(value('dowel_t_seconds_bucket{flow="x",le="+Inf"}'), 5);
  assert.equal(value('dowel_t_seconds_count{flow="x"}'), 5);
  assert.ok(Math.abs(value('dowel_t_seconds_sum{flow="x"}') - 3600.403) < 1e-9);
});

test('gauges are read when somebody looks; those of two versions are added up, and end with their version', () => {
  const metrics = new Metrics();
  const [old, next] = [new MeterScope(metrics), new MeterScope(metrics)];
  let running = 3;
  old.gauge('dowel_in_flight', 'Under way.', { flow: 'x' }, () => running);
  next.gauge('dowel_in_flight', 'Under way.', { flow: 'x' }, () => 4);
  assert.match(metrics.text(), /^dowel_in_flight\{flow="x"\} 7$/m);
  running = 1;
  assert.match(metrics.text(), /^dowel_in_flight\{flow="x"\} 5$/m);
  old.end();
  old.end();
  assert.match(metrics.text(), /^dowel_in_flight\{flow="x"\} 4$/m);
  next.end();
  assert.doesNotMatch(metrics.text(), /in_flight/);
});

test('what would break the format is escaped', () => {
  const metrics = new Metrics();
  metrics.counter('dowel_a_total', 'One\\line\nand another.', { flow: 'say "hi"\\\n' }).add();
  assert.equal(
    metrics.text(),
    '# HELP dowel_a_total One\\\\line\\nand another.\n# TYPE dowel_a_total counter\ndowel_a_total{flow="say \\"hi\\"\\\\\\n"} 1\n',
  );
});
