import { dirname, relative } from 'node:path';
import type { ConnectorSource, FlowSource, IntegrationSource } from '../../core/written.ts';
import type { Schema } from '../../schema/schema.ts';
import { formatDuration, formatSize } from '../../schema/units.ts';
import type { ConnectorDefinition } from '../../sdk.ts';
import { drawCatch, drawSteps, type Targets } from './draw-steps.ts';
import { type Direction, type Frame, render } from './mermaid.ts';
import { type Paper, Pen } from './pen.ts';
import { short } from './step-text.ts';

export interface GraphOptions {
  readonly direction: Direction;
  readonly connectors: Readonly<Record<string, ConnectorDefinition>>;
}

/**
 * An integration as a Mermaid flowchart: a frame for each flow, its steps in the shapes of their patterns, each endpoint
 * once, with lines between flows that meet. What may be secret (passwords, URLs) is left out.
 */
export function drawGraph(source: IntegrationSource, options: GraphOptions): string {
  const pen = new Pen();
  const paper: Paper = [];
  const flows = Object.values(source.flows).map((flow) => ({ flow, frame: pen.frame(paper, flow.name, 'flow') }));
  const endpoints = Object.values(source.endpoints).map((endpoint) => {
    const shape = options.connectors[endpoint.connector.name]?.meetsAt ? 'slanted' : 'cylinder';
    return { endpoint, id: pen.node(paper, shape, `${endpoint.name} (${endpoint.connector.name})`, 'endpoint') };
  });
  const targets: Targets = {
    endpoint: (name) => endpoints.find((one) => one.endpoint.name === name)?.id,
    endpointsOf: (connector) =>
      endpoints
        .filter((one) => connector === undefined || one.endpoint.connector.name === connector)
        .map((one) => one.id),
    flow: (name) => flows.find((one) => one.flow.name === name)?.frame.id,
  };
  const sources = flows.flatMap(({ flow, frame }) => {
    const id = drawFlow(flow, frame, { pen, targets }, sourceText(flow, source, options.connectors));
    return flow.from ? [{ from: flow.from, id }] : [];
  });
  for (const { endpoint, id } of endpoints) {
    const at = options.connectors[endpoint.connector.name]?.meetsAt;
    for (const reader of sources) {
      if (!at || reader.from.name !== endpoint.connector.name) continue;
      if (at(reader.from.options) === at(endpoint.connector.options))
        pen.edge({ from: id, to: reader.id, line: 'solid' });
    }
  }
  return render({ direction: options.direction, items: paper, edges: pen.edges });
}

/** Draws the flow into its frame and returns the node where its messages come in. */
function drawFlow(
  flow: FlowSource,
  frame: Frame,
  drawing: { readonly pen: Pen; readonly targets: Targets },
  text: string,
): string {
  const first = drawing.pen.node(frame.items, flow.from ? 'rounded' : 'circle', text);
  drawSteps(flow.steps, [{ from: first }], frame.items, drawing);
  if (flow.onError) drawCatch(flow.onError, first, frame.items, drawing);
  return first;
}

function sourceText(
  { from }: FlowSource,
  source: IntegrationSource,
  connectors: Readonly<Record<string, ConnectorDefinition>>,
): string {
  if (!from) return 'run';
  return short([from.name, ...settings(from, connectors[from.name]?.source, dirname(source.file))].join(' '));
}

/** The settings of a source that tell it from others: choices first (`POST`), then what is neither default nor secret. */
function settings({ options }: ConnectorSource, schema: Schema | undefined, folder: string): readonly string[] {
  const values = options as Readonly<Record<string, unknown>>;
  const properties = Object.entries(schema?.properties ?? {});
  const choices = properties.filter(([, one]) => isChoice(one));
  const others = properties.filter(([, one]) => !isChoice(one));
  return [...choices, ...others].flatMap(([key, one]) => {
    const text = setting(key, values[key], one, folder);
    return text === undefined ? [] : [text];
  });
}

const isChoice = (schema: Schema): boolean =>
  schema.enum !== undefined || schema.either?.some((one) => one.enum !== undefined) === true;

function setting(key: string, value: unknown, schema: Schema, folder: string): string | undefined {
  if (schema.format === 'password' || schema.format === 'uri') return undefined;
  if (isChoice(schema)) return Array.isArray(value) ? value.join(' ') : String(value);
  if (typeof value === 'string') {
    if (value === schema.default) return undefined;
    return schema.format === 'path' ? relative(folder, value) || '.' : value;
  }
  if (typeof value !== 'number' || 'default' in schema) return undefined;
  if (schema.format === 'duration') return `${key} ${formatDuration(value)}`;
  return `${key} ${schema.format === 'size' ? formatSize(value) : value}`;
}
