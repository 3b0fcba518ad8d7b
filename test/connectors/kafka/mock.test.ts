import { withPackage } from '../../support/debian-server.ts';
import { kcatProgram, MockKafka } from '../../support/kafka-server.ts';
import { describeCore } from './core.ts';

withPackage('kcat', kcatProgram, 'kafka', () => {
  describeCore('the mock cluster of librdkafka, three brokers', () => MockKafka.start(3), false);
});
