import { test } from 'node:test';
import { kafkaJars } from '../../support/kafka-jars.ts';
import { howToGetKafka, startKafka } from '../../support/kafka-server.ts';
import { describeCore } from './core.ts';

const given = process.env['KAFKA_BROKERS'];
const jars = await kafkaJars();
if (given !== undefined && given !== '') describeCore(`the brokers ${given}`, startKafka, true);
else if ('missing' in jars) test('kafka on a real broker', { skip: `${howToGetKafka} (${jars.missing})` }, () => {});
else describeCore(`Kafka ${jars.version}`, startKafka, true);
