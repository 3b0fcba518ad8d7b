import type { CatchSource, StepSource } from '../../core/written.ts';
import type { Shape } from './mermaid.ts';
import type { End, Paper, Pen } from './pen.ts';
import { optionsOf, textOf, written } from './step-text.ts';

/** What steps may point to. */
export interface Targets {
  endpoint(name: string): string | undefined;
  endpointsOf(connector: string | undefined): readonly string[];
  flow(name: string): string | undefined;
}

export interface Drawing {
  readonly pen: Pen;
  readonly targets: Targets;
}

type Draw = (step: StepSource, from: readonly End[], paper: Paper, drawing: Drawing) => readonly End[];

/** Draws steps one behind the other; what comes out at the last one goes on. */
export function drawSteps(
  steps: readonly StepSource[],
  from: readonly End[],
  paper: Paper,
  drawing: Drawing,
): readonly End[] {
  return steps.reduce((ends, step) => drawStep(step, ends, paper, drawing), from);
}

function drawStep(step: StepSource, from: readonly End[], paper: Paper, drawing: Drawing): readonly End[] {
  const draw = drawings[step.kind] ?? drawOther;
  if (!step.when) return draw(step, from, paper, drawing);
  const asked = drawing.pen.node(paper, 'diamond', written(step.when) ?? 'when');
  drawing.pen.join(from, asked);
  return [...draw(step, [{ from: asked, text: 'yes' }], paper, drawing), { from: asked, text: 'no' }];
}

/** A node for the step itself, with what hangs on it: its undoing, its fallback, its endpoint, its flow. */
function drawNode(shape: Shape): Draw {
  return (step, from, paper, drawing) => {
    const { pen, targets } = drawing;
    const node = pen.node(paper, shape, textOf(step));
    const { endpoint, flow } = optionsOf(step);
    pen.join(from, node);
    const far = typeof endpoint === 'string' ? targets.endpoint(endpoint) : undefined;
    if (far) pen.edge({ from: node, to: far, line: step.kind === 'call' ? 'both' : 'solid' });
    const sub = typeof flow === 'string' ? targets.flow(flow) : undefined;
    if (sub) pen.edge({ from: node, to: sub, line: 'thick', text: 'run' });
    const instead = drawAside('fallback', step, node, paper, drawing);
    drawAside('compensate', step, node, paper, drawing);
    return [{ from: node }, ...instead];
  };
}

/** Steps that a step has beside its way: reached by a dotted line. */
function drawAside(option: string, step: StepSource, from: string, paper: Paper, drawing: Drawing): readonly End[] {
  const steps = optionsOf(step)[option];
  if (!isSteps(steps)) return [];
  const text = option === 'compensate' ? 'undo' : option;
  return drawSteps(steps, [{ from, line: 'dotted', text }], paper, drawing);
}

const drawEnd =
  (shape: Shape): Draw =>
  (step, from, paper, drawing) => {
    drawNode(shape)(step, from, paper, drawing);
    return [];
  };

const drawSwitch: Draw = (step, from, paper, drawing) => {
  const node = drawing.pen.node(paper, 'diamond', textOf(step));
  drawing.pen.join(from, node);
  const { cases, otherwise } = optionsOf(step);
  const branches = (cases as readonly { readonly when: unknown; readonly steps: readonly StepSource[] }[]).map(
    (one) => ({
      text: written(one.when) ?? 'when',
      steps: one.steps,
    }),
  );
  if (isSteps(otherwise)) branches.push({ text: 'otherwise', steps: otherwise });
  return branches.flatMap(({ text, steps }) => drawSteps(steps, [{ from: node, text }], paper, drawing));
};

const drawFilter: Draw = (step, from, paper, { pen }) => {
  const node = pen.node(paper, 'diamond', step.kind === 'filter' ? filterText(step) : textOf(step));
  const stop = pen.node(paper, 'circle', 'stop');
  pen.join(from, node);
  pen.edge({ from: node, to: stop, line: 'solid', text: 'no' });
  return [{ from: node, text: 'yes' }];
};

const filterText = (step: StepSource): string => step.name ?? written(optionsOf(step)['when']) ?? 'filter';

const drawBranches: Draw = (step, from, paper, drawing) => {
  const { pen } = drawing;
  const { branches, as } = optionsOf(step);
  const fork = pen.node(paper, 'fork', textOf(step));
  pen.join(from, fork);
  const ends = Object.entries(branches as Readonly<Record<string, readonly StepSource[]>>).flatMap(([name, steps]) =>
    drawSteps(steps, [{ from: fork, text: name }], paper, drawing),
  );
  return [{ from: drawJoin(ends, as, paper, drawing) }];
};

const drawForEach: Draw = (step, from, paper, drawing) => {
  const { pen } = drawing;
  const { items, steps, into } = optionsOf(step);
  const fork = pen.node(paper, 'fork', step.name ?? `for each of ${written(items)}`);
  pen.join(from, fork);
  const ends = isSteps(steps) ? drawSteps(steps, [{ from: fork, text: 'each' }], paper, drawing) : [];
  return [{ from: drawJoin(ends, into, paper, drawing) }];
};

/** Records of one body, each through the steps. */
const drawSplit: Draw = (step, from, paper, drawing) => {
  const { pen } = drawing;
  const { steps } = optionsOf(step);
  const fork = pen.node(paper, 'fork', textOf(step));
  pen.join(from, fork);
  const ends = isSteps(steps) ? drawSteps(steps, [{ from: fork, text: 'each' }], paper, drawing) : [];
  return [{ from: drawJoin(ends, undefined, paper, drawing) }];
};

/** Many messages go in, one comes out. */
const drawAggregate: Draw = (step, from, paper, { pen }) => {
  const node = pen.node(paper, 'join', textOf(step));
  pen.join(from, node);
  return [{ from: node, text: 'complete' }];
};

const drawSlip: Draw = (step, from, paper, { pen, targets }) => {
  const { flows, among } = optionsOf(step);
  const node = pen.node(paper, 'fork', step.name ?? `run ${written(flows)}`);
  pen.join(from, node);
  for (const name of Array.isArray(among) ? among : []) {
    const to = targets.flow(String(name));
    if (to) pen.edge({ from: node, to, line: 'dotted', text: 'run' });
  }
  return [{ from: node }];
};

function drawJoin(ends: readonly End[], name: unknown, paper: Paper, { pen }: Drawing): string {
  const join = pen.node(paper, 'join', typeof name === 'string' ? `gather $${name}` : 'gather');
  pen.join(ends, join);
  return join;
}

const drawLoop: Draw = (step, from, paper, drawing) => {
  const { pen } = drawing;
  const { while: condition, steps } = optionsOf(step);
  const node = pen.node(paper, 'diamond', step.name ?? `while ${written(condition)}`);
  pen.join(from, node);
  if (isSteps(steps)) pen.join(drawSteps(steps, [{ from: node, text: 'yes' }], paper, drawing), node);
  return [{ from: node, text: 'no' }];
};

const drawRecipients: Draw = (step, from, paper, drawing) => {
  const { pen, targets } = drawing;
  const node = pen.node(paper, 'fork', step.name ?? `to ${written(optionsOf(step)['endpoints'])}`);
  pen.join(from, node);
  const connector = optionsOf(step)['connector'] as { readonly name: string } | undefined;
  for (const to of targets.endpointsOf(connector?.name)) pen.edge({ from: node, to, line: 'dotted' });
  return [{ from: node }];
};

const drawTap: Draw = (step, from, paper, drawing) => {
  const node = drawing.pen.node(paper, 'box', textOf(step));
  drawing.pen.join(from, node);
  const { steps } = optionsOf(step);
  if (isSteps(steps)) drawSteps(steps, [{ from: node, line: 'dotted', text: 'copy' }], paper, drawing);
  return [{ from: node }];
};

/** A frame around steps that share a name, an undo or a `catch`. */
const drawFrame: Draw = (step, from, paper, drawing) => {
  const { steps, catch: entries, finally: last } = optionsOf(step);
  const frame = drawing.pen.frame(paper, textOf(step));
  const inside = isSteps(steps) ? drawSteps(steps, from, frame.items, drawing) : from;
  const caught = isCatch(entries) ? drawCatch(entries, frame.id, paper, drawing) : [];
  drawAside('compensate', step, frame.id, paper, drawing);
  const ends = [...inside, ...caught];
  return isSteps(last) ? drawSteps(last, ends, paper, drawing) : ends;
};

/** The entries of `catch` and `onError`: each a chain of its own that begins with what it catches. */
export function drawCatch(
  entries: readonly CatchSource[],
  from: string,
  paper: Paper,
  drawing: Drawing,
): readonly End[] {
  return entries.flatMap(({ on, when, steps }) => {
    const text = [on?.join(', ') ?? (when ? '' : 'any error'), written(when) ?? ''].filter((one) => one !== '');
    const node = drawing.pen.node(paper, 'hexagon', text.join(' and '));
    drawing.pen.edge({ from, to: node, line: 'dotted', text: 'error' });
    return drawSteps(steps, [{ from: node }], paper, drawing);
  });
}

const drawOther: Draw = (step, from, paper, drawing) =>
  (isSteps(optionsOf(step)['steps']) ? drawFrame : drawNode('box'))(step, from, paper, drawing);

const drawings: Readonly<Record<string, Draw>> = {
  aggregate: drawAggregate,
  fail: drawEnd('hexagon'),
  filter: drawFilter,
  forEach: drawForEach,
  loop: drawLoop,
  recipientList: drawRecipients,
  respond: drawEnd('rounded'),
  routingSlip: drawSlip,
  run: drawNode('frame'),
  sample: drawFilter,
  scatterGather: drawBranches,
  split: drawSplit,
  stop: drawEnd('circle'),
  switch: drawSwitch,
  wireTap: drawTap,
};

const isSteps = (value: unknown): value is readonly StepSource[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null && 'kind' in one);

const isCatch = (value: unknown): value is readonly CatchSource[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null && 'steps' in one);
