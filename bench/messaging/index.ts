import { amqpMessaging } from './amqp.ts';
import { kafkaMessaging } from './kafka.ts';
import type { Messaging } from './messaging.ts';
import { mqttMessaging } from './mqtt.ts';

/** Every broker that is measured. */
export const brokers: readonly Messaging[] = [amqpMessaging, mqttMessaging, kafkaMessaging];
