/** What only the whole integration can tell of a source: where it listens, what it asks, and whose tokens it has. */
import type { ExpressionSource, FlowSource, IntegrationSource, Report } from '../core/written.ts';
import { compileExpression, ExpressionSyntaxError } from '../expression/expression.ts';
import { nearest } from '../schema/nearest.ts';
import type { ConnectorDefinition } from '../sdk.ts';
import { eachMap } from './checks.ts';

type Definitions = Readonly<Record<string, ConnectorDefinition>>;

export function checkSources(source: IntegrationSource, connectors: Definitions, report: Report): void {
  for (const flow of Object.values(source.flows)) {
    const { from } = flow;
    const definition = from && connectors[from.name];
    if (!from || !definition) continue;
    definition.checkServer?.(from.options, source.server, (at, message) =>
      report({
        severity: 'error',
        code: 'bad-option',
        at: 'key',
        message: `${message.charAt(0).toUpperCase()}${message.slice(1)}`,
        pointer: `${from.pointer}/${at}`,
      }),
    );
    for (const { expression, names } of definition.asks?.(from.options) ?? []) {
      checkAsked(expression, names, source, report);
    }
    if (definition.tokens?.(from.options, 'source') !== true) checkTokens(flow, source, connectors, report);
  }
}

/** An expression that a source asks sees no body: it is not read by then, and may never be. */
function checkAsked(
  asked: ExpressionSource,
  names: readonly string[],
  source: IntegrationSource,
  report: Report,
): void {
  const { pointer } = asked;
  const finding = { severity: 'error', pointer } as const;
  try {
    const { variables, looksAtBody } = compileExpression(asked.text);
    for (const [name, offset] of variables) {
      if (names.includes(name)) continue;
      const near = nearest(name, names);
      const known = names.map((one) => `\`$${one}\``).join(', ');
      report({
        ...finding,
        code: 'unknown-variable',
        message:
          name === 'identity'
            ? '`$identity` exists only where the source asks who is calling: it has no `auth`'
            : `\`$${name}\` is not known before the message is let in${near ? `; did you mean \`$${near}\`?` : `; known here are ${known}`}`,
        offset,
        length: name.length + 1,
        name,
        ...(near ? { suggestion: `$${near}` } : {}),
      });
    }
    if (looksAtBody && variables.size === 0 && nearest(rootOf(asked.text), names) === rootOf(asked.text)) {
      const suggestion = `$${asked.text.trim()}`;
      const message = `This is asked before the body is read, and \`${rootOf(asked.text)}\` is a field of the body: write \`${suggestion}\``;
      report({ ...finding, code: 'no-body', message, suggestion });
    } else if (looksAtBody) {
      const message = `This is asked before the body is read: it sees ${names.map((one) => `\`$${one}\``).join(', ')}, and no field of the body`;
      report({ ...finding, code: 'no-body', message });
    }
    checkConfig(asked, source, report);
  } catch (thrown) {
    if (!(thrown instanceof ExpressionSyntaxError)) throw thrown;
    const { offset, length, message, suggestion } = thrown;
    report({ ...finding, code: 'expression', message, offset, length, suggestion });
  }
}

const rootOf = (text: string): string => /^\s*([A-Za-z_]\w*)/.exec(text)?.[1] ?? '';

function checkConfig({ text, pointer }: ExpressionSource, source: IntegrationSource, report: Report): void {
  for (const match of text.matchAll(/(\$config\.)([A-Za-z_]\w*)/g)) {
    const [, before = '', name = ''] = match;
    if (Object.hasOwn(source.config, name)) continue;
    const secret = source.secretNames.includes(name);
    const message = secret
      ? `\`${name}\` is secret: expressions cannot see it`
      : `\`$config\` has no \`${name}\`; declare it under \`config:\`, as \`${name}: {}\``;
    const offset = match.index + before.length;
    report({ severity: 'error', code: 'unknown-config', message, pointer, offset, length: name.length });
  }
}

/** Endpoints that pass on the token of a caller, in a flow whose messages have none. Sub-flows show it when they run. */
function checkTokens(flow: FlowSource, source: IntegrationSource, connectors: Definitions, report: Report): void {
  eachMap(flow, (step) => {
    const { kind, options, pointer } = step;
    if (typeof kind !== 'string' || typeof pointer !== 'string') return;
    const { endpoint: name } = (options ?? {}) as { readonly endpoint?: unknown };
    const endpoint = typeof name === 'string' ? source.endpoints[name] : undefined;
    if (!endpoint) return;
    const { connector } = endpoint;
    if (connectors[connector.name]?.tokens?.(connector.options, 'endpoint') !== true) return;
    const message = `\`${endpoint.name}\` passes on the token of the caller, and callers of this flow show none that lasts: its source needs \`auth\` with \`jwt\` or \`introspection\`, and no \`reply: accepted\``;
    report({ severity: 'error', code: 'no-token', message, pointer: `${pointer}/${kind}/endpoint` });
  });
}
