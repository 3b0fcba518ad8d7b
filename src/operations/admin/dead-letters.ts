import type { DeadLetterDesk, Which } from '../../flow/dead-letters/desk.ts';
import { definitions } from '../../flow/dead-letters/desk.ts';
import type { Query } from '../../flow/dead-letters/query.ts';
import type { Answer } from './answer.ts';
import { type AdminRequest, type AdminRoute, badRequest, queryOf } from './router.ts';

const pageSize = { least: 1, most: 1000, default: 100 } as const;

/** Dead letters over HTTP: `desk` opens the store when nothing else has. */
export function deadLetterRoutes(desk: () => Promise<DeadLetterDesk>): readonly AdminRoute[] {
  return [
    { method: 'GET', path: '/dead-letters', access: 'read', handle: async ({ query }) => list(await desk(), query) },
    {
      method: 'GET',
      path: '/dead-letters/{id}',
      access: 'read',
      handle: async ({ params }) => ({ status: 200, body: await (await desk()).show(params['id'] ?? '') }),
    },
    {
      method: 'GET',
      path: '/dead-letters/{id}/body',
      access: 'read',
      handle: async ({ params }) => bytes(await (await desk()).body(params['id'] ?? '')),
    },
    {
      method: 'POST',
      path: '/dead-letters/{id}/replay',
      access: 'change',
      handle: async ({ params, query }) => {
        const which = whichOf(queryOf(query, ['with'])['with'] ?? 'current');
        return { status: 200, body: await (await desk()).replay(params['id'] ?? '', which) };
      },
    },
    { method: 'DELETE', path: '/dead-letters/{id}', access: 'change', handle: (request) => discard(desk, request) },
  ];
}

async function list(desk: DeadLetterDesk, parameters: URLSearchParams): Promise<Answer> {
  const asked = queryOf(parameters, ['flow', 'code', 'since', 'until', 'order', 'limit', 'after']);
  const { order = 'newest', limit = String(pageSize.default), flow, code, after } = asked;
  if (order !== 'newest' && order !== 'oldest') throw badRequest(`order is newest or oldest, not ${order}`);
  const size = Number(limit);
  if (!Number.isInteger(size) || size < pageSize.least || size > pageSize.most) {
    throw badRequest(`limit is a number from ${pageSize.least} to ${pageSize.most}`);
  }
  const [since, until] = [timeIn(asked, 'since'), timeIn(asked, 'until')];
  const query: Query = { flow, code, since, until, order, limit: size, after };
  return { status: 200, body: await desk.list(query) };
}

function timeIn(asked: Readonly<Record<string, string>>, name: 'since' | 'until'): number | undefined {
  const text = asked[name];
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw badRequest(`${name} is a time such as 2026-05-01T12:00:00Z`);
  return time;
}

function whichOf(text: string): Which {
  const which = definitions.find((one) => one === text);
  if (!which) throw badRequest(`with is ${definitions.join(' or ')}, not ${text}`);
  return which;
}

/** Not shown by a browser that somebody leads here. */
const bytes = (body: Uint8Array): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment' },
  body,
});

async function discard(desk: () => Promise<DeadLetterDesk>, { params, query, body }: AdminRequest): Promise<Answer> {
  const given = queryOf(query, ['why'])['why'] ?? whyIn(await body());
  const why = given?.trim();
  if (!why) throw badRequest('say why it is discarded: `?why=…`, or {"why": "…"} as JSON. It is logged');
  await (await desk()).discard(params['id'] ?? '', why.slice(0, 1000));
  return { status: 204 };
}

function whyIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('why' in body)) return undefined;
  return typeof body.why === 'string' ? body.why : undefined;
}
