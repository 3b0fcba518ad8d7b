/**
 * The only door for connectors: everything a connector may use stands here, and it imports nothing else from Dowel.
 * One connector = one folder: `definition.ts` (data only), `source.ts` and `endpoint.ts`, loaded when an integration
 * uses them.
 */

export { backoff, pauseBound } from './core/backoff.ts';
export { Body, type Codec, type StreamSource } from './core/body.ts';
export { BoundedCache } from './core/bounded-cache.ts';
export { atMost, type Clock, sleep } from './core/clock.ts';
export {
  type Contract,
  type ContractAnswer,
  type ContractContent,
  type ContractHeader,
  type ContractOperation,
  type ContractParameter,
  type Direction,
  refName,
  wholeSchema,
} from './core/contract.ts';
export { Dropped } from './core/dropped.ts';
export { type Exchange, type Handler, type Headers, type Log, noHeaders, type Origin } from './core/exchange.ts';
export { type Identity, tokenOf, withToken } from './core/identity.ts';
export type { Giving, Life } from './core/life.ts';
export { Link, type LinkPlan, type LinkWorld, type Trouble, troubleOf } from './core/link.ts';
export { once } from './core/once.ts';
export { optionalPackage } from './core/optional-package.ts';
export type { Random } from './core/random.ts';
export { Refrain, type RefrainLine } from './core/refrain.ts';
export { certificateWords, networkWords, socketTrouble } from './core/socket-trouble.ts';
export type { Attributes } from './core/span.ts';
export { TokenBucket } from './core/token-bucket.ts';
export { Trace } from './core/trace.ts';
export type { ExpressionSource, OpenApiSource, Rate, ServerSource } from './core/written.ts';
export { customFailure, Failure, failure, httpFailure, toFailure } from './errors.ts';
export { type ContentType, parseContentType } from './format/content-type.ts';
export { writeXml, type XmlOptions, xmlOptions, xmlReader } from './format/xml.ts';
export { cannotListen } from './listen-error.ts';
export type { Infer } from './schema/infer.ts';
export { nearest } from './schema/nearest.ts';
export type { Schema, Slot } from './schema/schema.ts';
export { tlsProperties } from './schema/tls-options.ts';
export type * from './sdk/connector.ts';
export type * from './sdk/context.ts';
export type * from './sdk/definition.ts';
export type * from './sdk/description.ts';
export type * from './sdk/message.ts';
export type * from './sdk/rehearsal.ts';
export type { SchemaFinding, WrittenCall } from './steps/step.ts';
export type {
  Destination,
  EndpointTelemetry,
  MessagingTelemetry,
  SourceTelemetry,
  SpanFacts,
  Telemetry,
} from './telemetry.ts';
