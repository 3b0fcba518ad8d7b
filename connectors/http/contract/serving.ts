import {
  Body,
  type ContractParameter,
  type Deliver,
  type Exchange,
  type Failure,
  failure,
  type Headers,
  type Incoming,
  type SourceContext,
  toFailure,
} from '#sdk';
import type { SourceOptions } from '../definition.ts';
import { type Answer, compileAnswers } from './answers.ts';
import { compileRequest, type Violation, worded } from './request.ts';

/** What stands between the callers of a source with a contract and its flow. */
export interface Serving {
  readonly deliver: Deliver;
  /** The same before a message that is only kept. */
  accepting<T>(put: (message: Incoming) => Promise<T>): (message: Incoming) => Promise<T>;
}

/** `strict`: an answer that breaks the contract is refused wherever it is looked at. */
export function serveContract(
  { contract: kept, auth }: Pick<SourceOptions, 'contract' | 'auth'>,
  context: SourceContext,
  strict = false,
): Serving | undefined {
  if (!kept) return undefined;
  const { contract } = kept.openapi;
  const { name: flow, services, log, deliver } = context;
  const operation = contract.operation(kept.operation);
  if (!operation) throw failure('bug', { detail: `the document of ${flow} has no operation ${kept.operation}` });
  const shown = shownAtTheDoor(auth);
  const seen = { ...operation, parameters: operation.parameters.filter((one) => !shown(one)) };
  const request = compileRequest(seen, contract, context.jsonSchema);
  const answer = kept.answers === 'off' ? undefined : compileAnswers(operation, contract, context.jsonSchema);
  const refuses = strict || kept.answers === 'refuse';
  const broken = services.meter.counter(
    'dowel_contract_replies_broken_total',
    'Answers of a flow that broke the contract of its source.',
    { flow },
  );
  const refused = services.meter.counter(
    'dowel_contract_requests_refused_total',
    'Requests that broke the contract of a source, and never came to its flow.',
    { flow },
  );

  const looked = async ({ origin, headers, body }: Incoming): Promise<void> => {
    const { params = {}, query = {} } = origin;
    const found = [...request.parameters({ params, query, headers }), ...(await request.body(body, services.codec))];
    if (found.length > 0) throw invalid(found);
  };

  const check = (message: Incoming): Promise<void> =>
    looked(message).catch((thrown: unknown) => {
      const { code, kind, message: detail } = toFailure(thrown);
      // Of a caller that went away nobody knows what it would have sent.
      if (kind === 'permanent') {
        refused.add();
        log.debug('a request breaks the contract', { flow, operation: operation.id, code, detail });
      }
      throw thrown;
    });

  const answered = async (exchange: Exchange | undefined): Promise<Exchange | undefined> => {
    if (!answer) return exchange;
    const looking = answer(exchange ? answerOf(exchange) : nothing, services.codec);
    // What is relayed is still coming, though the flow has ended: a shutdown waits for it.
    if (looking instanceof Promise) services.background(looking, 'an answer that is held against its contract');
    const found = await looking;
    if (found.length === 0) return exchange;
    broken.add();
    const facts = { flow, operation: operation.id, broken: found.map(worded) };
    const logged = { ...facts, ...exchange?.named, status: exchange?.reply?.status };
    if (!refuses) {
      log.warn('an answer breaks the contract', logged);
      return exchange;
    }
    log.error('an answer breaks the contract and was refused', logged);
    exchange?.body.discard();
    throw failure('contract-reply', facts);
  };

  return {
    async deliver(message) {
      await check(message);
      return answered(await deliver(message));
    },
    accepting: (put) => async (message) => {
      await check(message);
      return put(message);
    },
  };
}

const invalid = (found: readonly Violation[]): Failure =>
  failure('validation', {
    findings: found.map(worded),
    errors: found.map(({ where, pointer, message }) =>
      where === 'body' ? { pointer, detail: message } : { parameter: where, pointer, detail: message },
    ),
  });

/** As it will go out. */
function answerOf(exchange: Exchange): Answer {
  const { reply, services } = exchange;
  const headers: Headers = reply ? reply.headers : exchange.ownHeaders;
  const body = exchange.body.as(headers['content-type']);
  const status = reply?.status ?? (body.isEmpty ? 204 : 200);
  const named = headers['content-type'];
  const contentType = (typeof named === 'string' ? named : named?.[0]) ?? body.wireType(services.codec);
  return { status, headers, body, contentType, bodiless: exchange.origin.source?.['method'] === 'HEAD' };
}

/** Of a flow that ended and had nothing to say. */
const nothing: Answer = { status: 204, headers: {}, body: Body.empty, contentType: undefined, bodiless: true };

/** A key by which the door knew the caller: the flow does not see it, and neither does the check. */
function shownAtTheDoor(auth: SourceOptions['auth']): (parameter: ContractParameter) => boolean {
  const { header = 'x-api-key', query } = auth?.apiKey ?? {};
  return ({ name, in: place }) => {
    if (!auth?.apiKey) return false;
    if (query !== undefined) return place === 'query' && name === query;
    return place === 'header' && name.toLowerCase() === header.toLowerCase();
  };
}
