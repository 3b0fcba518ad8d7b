import { dirname, relative } from 'node:path';
import type { ConnectorSource, IntegrationSource } from '../../core/written.ts';
import type { ConnectorKind } from '../../schema/kinds.ts';
import type { Schema } from '../../schema/schema.ts';
import { formatDuration, formatSize } from '../../schema/units.ts';
import { drawCatch, drawSteps, type Targets } from './draw-steps.ts';
import { type Direction, render } from './mermaid.ts';
import { type Paper, Pen } from './pen.ts';
import { short } from './step-text.ts';

/** What a picture needs to know of a connector: `ConnectorDefinition` has it. */
interface DrawnConnector extends ConnectorKind {
  /** The name by which endpoints and sources of one process meet. */
  readonly meetsAt?: (options: unknown) => string;
}

export interface GraphOptions {
  readonly direction: Direction;
  readonly connectors: Readonly<Record<string, DrawnConnector>>;
}

/**
 * An integration as a Mermaid flowchart: a frame for each flow, its steps in the shapes of their patterns, each endpoint
 * once, with lines between flows that meet. What may be secret (passwords, URLs) is left out.
 */
export function drawGraph(source: IntegrationSource, options: GraphOptions): string {
  const pen = new Pen();
  const paper: Paper = [];
  const flows = Object.values(source.flows).map((flow) => {
    const { items } = pen.frame(paper, flow.name, 'flow');
    const text = flow.from ? sourceText(flow.from, source, options.connectors) : 'start';
    return { flow, items, first: pen.node(items, flow.from ? 'rounded' : 'circle', text, 'in') };
  });
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
    flow: (name) => flows.find((one) => one.flow.name === name)?.first,
  };
  for (const { flow, items, first } of flows) {
    drawSteps(flow.steps, [{ from: first }], items, { pen, targets });
    const dead = flow.deadLetter && targets.endpoint(flow.deadLetter.endpoint);
    if (dead) pen.edge({ from: first, to: dead, line: 'dotted', text: 'dead letters' });
    if (flow.onError) drawCatch(flow.onError, first, items, { pen, targets });
  }
  for (const { endpoint, id } of endpoints) {
    const at = options.connectors[endpoint.connector.name]?.meetsAt;
    if (!at) continue;
    for (const { flow, first } of flows) {
      const meets =
        flow.from?.name === endpoint.connector.name && at(flow.from.options) === at(endpoint.connector.options);
      if (meets) pen.edge({ from: id, to: first, line: 'solid' });
    }
  }
  return render({ direction: options.direction, items: paper, edges: pen.edges });
}

function sourceText(
  from: ConnectorSource,
  source: IntegrationSource,
  connectors: Readonly<Record<string, DrawnConnector>>,
): string {
  const text = [from.name, ...settings(from, connectors[from.name]?.source, dirname(source.file))].join(' ');
  return short(source.secrets.reduce((clean, secret) => clean.replaceAll(secret, '***'), text));
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
  if (value === undefined || schema.format === 'password' || schema.format === 'uri') return undefined;
  if (isChoice(schema)) return Array.isArray(value) ? value.join(' ') : String(value);
  if (typeof value === 'string') {
    if (value === schema.default) return undefined;
    return schema.format === 'path' ? relative(folder, value) || '.' : value;
  }
  if (typeof value !== 'number' || 'default' in schema) return undefined;
  if (schema.format === 'duration') return `${key} ${formatDuration(value)}`;
  return `${key} ${schema.format === 'size' ? formatSize(value) : value}`;
}
