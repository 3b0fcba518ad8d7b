import { after } from 'node:test';
import { amqp } from '../../../connectors/amqp/index.ts';
import { once } from '../../../src/core/once.ts';
import { withPackage } from '../../support/debian-server.ts';
import { describeEndpoint } from '../../support/endpoint-conformance.ts';
import { rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { describeSource } from '../../support/source-conformance.ts';
import { endpointOptions, sourceOptions } from './support/options.ts';
import { Rabbit } from './support/rabbit.ts';

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp on RabbitMQ', () => {
  const ends = new AsyncDisposableStack();
  after(() => ends.disposeAsync());
  const peer = once(async () => ends.use(await Rabbit.start()));
  const wrong = async (): Promise<string> => (await peer()).url.replace('guest:guest', 'guest:wrong');
  const says = /refused the user `guest`: wrong name or password/;

  describeSource({
    name: 'amqp',
    connector: amqp,
    peer,
    refused: [
      {
        title: 'a wrong password',
        options: async () => sourceOptions({ url: await wrong(), queue: 'any' }),
        says,
      },
    ],
  });

  describeEndpoint({
    name: 'amqp',
    connector: amqp,
    peer,
    refused: [
      {
        title: 'a wrong password',
        options: async () => endpointOptions({ url: await wrong(), routingKey: 'any' }),
        says,
      },
    ],
  });
});
