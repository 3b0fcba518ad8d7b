import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { connectAsync } from 'mqtt';
import { createTopic, fresh, recordsOf } from '../connectors/kafka/support.ts';
import { withPackage } from '../support/debian-server.ts';
import { type DowelProcess, startDowel } from '../support/dowel-process.ts';
import { eventually } from '../support/eventually.ts';
import { type KafkaServer, kcatProgram, MockKafka, startKafka } from '../support/kafka-server.ts';
import { MosquittoServer, mosquittoProgram } from '../support/mosquitto-server.ts';
import { RabbitmqServer, rabbitmqProgram } from '../support/rabbitmq-server.ts';
import { folder } from './example.ts';

type Part = 'field' | 'plant';

interface Said {
  readonly machine: string;
  readonly about?: string;
  readonly text: string;
  readonly contentType?: string;
  readonly unit?: string;
}

const all = mosquittoProgram && rabbitmqProgram && kcatProgram;

withPackage('mosquitto rabbitmq-server kcat', all, 'a bridge from MQTT over AMQP to Kafka', () => {
  let field: MosquittoServer;
  let plant: RabbitmqServer;
  let kafka: KafkaServer;
  before(async () => {
    [field, plant, kafka] = await Promise.all([MosquittoServer.start(), RabbitmqServer.start(), startKafka()]);
  });
  after(async () => {
    await Promise.all([field, plant, kafka].map((one) => one[Symbol.asyncDispose]()));
  });

  /** Starts both parts, with a topic of their own behind them. */
  const scene = async (t: TestContext) => {
    const topic = fresh('bridge');
    if (!(kafka instanceof MockKafka)) await createTopic(kafka.brokers, topic, 4);
    const env = { MQTT_URL: field.url, AMQP_URL: plant.url, KAFKA_BROKERS: kafka.brokers, TOPIC: topic };
    const running = new Map<Part, DowelProcess>();
    t.after(() => Promise.all([...running.values()].map((one) => one[Symbol.asyncDispose]())));
    const start = async (part: Part): Promise<void> => {
      running.set(part, await startDowel(join(folder, 'bridge', part, 'integration.yaml'), { env }));
    };
    const kill = async (part: Part): Promise<void> => {
      await running.get(part)?.stop('SIGKILL');
    };
    await start('plant');
    await start('field');
    const read = (format?: string): Promise<readonly string[]> => recordsOf(kafka.brokers, topic, format);
    return { start, kill, read };
  };

  const say = async (all: AsyncIterable<Said> | Iterable<Said>): Promise<void> => {
    const machine = await connectAsync(field.url, { protocolVersion: 5 });
    for await (const { machine: name, about = 'telemetry', text, contentType, unit } of all) {
      const properties = { ...(contentType && { contentType }), ...(unit && { userProperties: { 'x-unit': unit } }) };
      await machine.publishAsync(`machines/${name}/${about}`, text, { qos: 1, properties });
    }
    await machine.endAsync();
  };

  test('bytes, content type, properties and order arrive; the machine becomes the key', async (t) => {
    const { read } = await scene(t);
    await say([
      { machine: 'press', text: '{"celsius": 21.50}', contentType: 'application/json', unit: 'C' },
      { machine: 'press', text: '21.5;ok', contentType: 'text/csv' },
      { machine: 'saw', about: 'alarm', text: 'not { json' },
    ]);
    await eventually('all three are there', async () => (await read()).length === 3, 30_000);
    const found = (await read('%k|%s|%h')).map((line) => line.replace(/,?traceparent=[^,]*/, ''));
    assert.deepEqual(found.toSorted(), [
      'press|21.5;ok|content-type=text/csv,x-topic=machines/press/telemetry,x-routing-key=machines.press.telemetry',
      'press|{"celsius": 21.50}|content-type=application/json,x-topic=machines/press/telemetry,x-unit=C,x-routing-key=machines.press.telemetry',
      'saw|not { json|x-topic=machines/saw/alarm,x-routing-key=machines.saw.alarm',
    ]);
    const press = (await read('%k|%s')).filter((line) => line.startsWith('press'));
    assert.deepEqual(press, ['press|{"celsius": 21.50}', 'press|21.5;ok']);
  });

  test('both parts and the broker between them are killed in the middle: nothing is lost', async (t) => {
    const { start, kill, read } = await scene(t);
    const count = 1500;
    const machines = ['m1', 'm2', 'm3'];
    async function* sayings(): AsyncGenerator<Said> {
      for (let n = 0; n < count; n++) {
        yield { machine: machines[n % 3] ?? '', text: `${n}` };
        if (n === 300) await kill('field').then(() => start('field'));
        if (n === 600) await kill('plant').then(() => start('plant'));
        if (n === 900) await plant.kill().then(() => plant.start());
      }
    }
    await say(sayings());
    const unique = async (): Promise<number> => new Set(await read()).size;
    await eventually('all are there', async () => (await unique()) === count, 60_000);
    const texts = await read();
    // At each kill what was under way may come again: 100 at the broker of the field, 200 at the one of the plant.
    assert.ok(texts.length <= count + 100 + 200 + 100 + 200, `${texts.length - count} came twice`);
  });
});
