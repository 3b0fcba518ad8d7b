import type { Connector, ConnectorDefinition } from '#sdk';
import { amqp } from './amqp/index.ts';
import { channel } from './channel/index.ts';
import { file } from './file/index.ts';
import { http } from './http/index.ts';
import { kafka } from './kafka/index.ts';
import { mqtt } from './mqtt/index.ts';
import { nats } from './nats/index.ts';
import { redis } from './redis/index.ts';
import { soapOver } from './soap/index.ts';
import { timer } from './timer/index.ts';

/** Every connector by its key in the file. What it runs on is imported only when an integration uses it. */
export const connectors: Readonly<Record<string, Connector>> = {
  http,
  soap: soapOver(http),
  timer,
  channel,
  file,
  amqp,
  mqtt,
  kafka,
  nats,
  redis,
};

/** Their descriptions alone: what reading and checking a file needs. */
export const connectorDefinitions: Readonly<Record<string, ConnectorDefinition>> = Object.fromEntries(
  Object.entries(connectors).map(([name, connector]) => [name, connector.definition]),
);
