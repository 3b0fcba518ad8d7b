import { amqp } from '../../../connectors/amqp/index.ts';
import { withPackage } from '../../support/debian-server.ts';
import { describeEndpoint } from '../../support/endpoint-conformance.ts';
import { rabbitmqProgram } from '../../support/rabbitmq-server.ts';
import { endpointOptions } from './support/options.ts';
import { Rabbit } from './support/rabbit.ts';

withPackage('rabbitmq-server', rabbitmqProgram, 'amqp endpoint on RabbitMQ', () => {
  describeEndpoint({
    name: 'amqp',
    connector: amqp,
    peer: () => Rabbit.start(),
    refused: [
      {
        title: 'a wrong password',
        options: (peer) =>
          endpointOptions({ url: (peer as Rabbit).server.url.replace(':guest@', ':wrong@'), routingKey: 'any' }),
        says: /refused the user `guest`: wrong name or password/,
      },
    ],
  });
});
