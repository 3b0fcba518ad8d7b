import { amqp } from '../../../connectors/amqp/index.ts';
import { withPackage } from '../../support/debian-server.ts';
import { rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { describeSource } from '../../support/source-conformance.ts';
import { sourceOptions } from './support/options.ts';
import { Rabbit } from './support/rabbit.ts';

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp source on RabbitMQ', () => {
  describeSource({
    name: 'amqp',
    connector: amqp,
    peer: () => Rabbit.start(),
    refused: [
      {
        title: 'a wrong password',
        options: async (peer) => {
          const url = (peer as Rabbit).server.url.replace('guest:guest', 'guest:wrong');
          return sourceOptions({ url, queue: 'any' });
        },
        says: /refused the user `guest`: wrong name or password/,
      },
    ],
  });
});
