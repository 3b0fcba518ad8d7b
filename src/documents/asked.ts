import type { FlowSource } from '../core/written.ts';
import type { Served } from '../sdk.ts';
import type { Components } from './components.ts';
import { answersOf, headSchema, isOneHole, shapeOf } from './steps.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the flow itself tells, where there is no contract. */
export function asked(
  flow: FlowSource,
  method: string,
  { path, accepted: kept, mediaTypes }: Served,
  components: Components,
): Json {
  const names = [...path.matchAll(/\{([\w.-]+)(\+?)\}/g)];
  const head = headSchema(flow);
  const schema = head && components.own(head.key, head.name ?? flow.name, head.schema);
  const takesBody = method !== 'GET' && method !== 'HEAD' && method !== 'DELETE';
  const types = mediaTypes ?? [schema ? 'application/json' : '*/*'];
  const answers = kept ? [] : [...answersOf(flow)];
  // What ends without `respond` answers with its body.
  const succeeds = kept || answers.some(([status]) => status < 300);
  return {
    ...(names.length > 0
      ? {
          parameters: names.map(([, name = '', rest]) => ({
            name,
            in: 'path',
            required: true,
            ...(rest ? { description: 'All the rest of the path, slashes and all.' } : {}),
            schema: { type: 'string' },
          })),
        }
      : {}),
    ...(takesBody
      ? {
          requestBody: {
            ...(schema ? { required: true } : {}),
            content: Object.fromEntries(types.map((type) => [type, schema ? { schema } : {}])),
          },
        }
      : {}),
    responses: Object.fromEntries(
      (succeeds ? answers : [...answers, [200, undefined] as const]).map(([status, body]) => [
        String(status),
        { description: textOf(status), ...contentOf(body, mediaTypes) },
      ]),
    ),
  };
}

function contentOf(body: unknown, mediaTypes: Served['mediaTypes']): Json {
  if (mediaTypes) return { content: Object.fromEntries(mediaTypes.map((type) => [type, {}])) };
  if (body === undefined || (typeof body === 'string' && isOneHole(body))) return {};
  const type = typeof body === 'string' ? 'text/plain' : 'application/json';
  return { content: { [type]: { schema: shapeOf(body) } } };
}

const textOf = (status: number): string => process.getBuiltinModule('node:http').STATUS_CODES[status] ?? 'An answer';
