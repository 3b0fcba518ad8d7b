import {
  type AmqpEndpointOptions,
  type AmqpSourceOptions,
  endpoint,
  source,
} from '../../../../connectors/amqp/definition.ts';
import { defaultsOf } from '../../../../src/schema/stand-in.ts';

/** As the file gives them: with every default. */
export const sourceOptions = (
  options: Partial<AmqpSourceOptions> & Pick<AmqpSourceOptions, 'url' | 'queue'>,
): AmqpSourceOptions => ({ ...(defaultsOf(source, '') as unknown as AmqpSourceOptions), ...options });

export const endpointOptions = (
  options: Partial<AmqpEndpointOptions> & Pick<AmqpEndpointOptions, 'url'>,
): AmqpEndpointOptions => ({ ...(defaultsOf(endpoint, '') as unknown as AmqpEndpointOptions), ...options });
