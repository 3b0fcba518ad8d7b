import assert from 'node:assert/strict';

/** Each series by its name and labels as they are written. */
export function readMetrics(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, series, value] = /^([a-zA-Z_:][\w:]*(?:\{(?:\w+="(?:[^"\\\n]|\\.)*",?)+\})?) (\S+)$/.exec(line) ?? [];
    assert.ok(series !== undefined && value !== undefined && !Number.isNaN(Number(value)), line);
    assert.ok(!values.has(series), `${series} stands there twice`);
    values.set(series, Number(value));
  }
  return values;
}
