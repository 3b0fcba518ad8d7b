import { connectorDefinitions } from '../../connectors/index.ts';
import { drawGraph } from '../integration/graph/graph.ts';
import { type Direction, directions } from '../integration/graph/mermaid.ts';
import { renderText } from '../integration/render.ts';
import { exitCode } from './exit-codes.ts';
import { colorful, print, say } from './output.ts';
import { prepare } from './prepare.ts';
import { fileOf, parse, UsageError } from './usage.ts';

const usage = `
dowel graph FILE [--direction TB|LR|BT|RL]

Draws the flows of an integration as a Mermaid flowchart, on stdout. GitHub, GitLab and many editors show it inside
a Markdown file, between \`\`\`mermaid and \`\`\`; https://mermaid.live shows it anywhere.

  --direction   where the flow goes: from top to bottom (TB) unless said otherwise

Exit codes: 0 drawn; 1 the file has errors, which are listed on stderr.
`;

export async function command(args: readonly string[]): Promise<number> {
  const parsed = parse(args, {
    text: usage,
    options: { direction: { type: 'string', default: 'TB' } },
    positionals: { min: 1, max: 1 },
  });
  if (!parsed) return exitCode.done;
  const direction = parsed.values.direction as Direction;
  if (!directions.includes(direction)) {
    throw new UsageError(`--direction takes ${directions.join(', ')}, not ${direction}`);
  }
  const file = fileOf(parsed.positionals);

  const { program, source, diagnostics } = await prepare(file, { env: {}, config: 'optional' });
  const errors = diagnostics.filter((one) => one.severity === 'error');
  if (errors.length > 0) say(renderText(errors, file, { color: colorful(process.stderr) }));
  if (!program || !source) return exitCode.findings;
  print(drawGraph(source, { direction, connectors: connectorDefinitions }));
  return exitCode.done;
}
