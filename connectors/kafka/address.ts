/** The addresses as they are, whether they are a list or have commas between. */
export const brokerList = (brokers: string | readonly string[]): readonly string[] =>
  (typeof brokers === 'string' ? [brokers] : brokers).flatMap((one) => one.split(',').map((part) => part.trim()));

/** What is wrong with the address of a broker; `undefined` when nothing is. */
export function brokerProblem(broker: string): { readonly message: string; readonly suggestion?: string } | undefined {
  const scheme = /^[a-z][\w+.-]*:\/\//i.exec(broker)?.[0];
  if (scheme !== undefined) {
    const rest = broker
      .slice(scheme.length)
      .replace(/^[^@]*@/, '')
      .replace(/\/.*$/, '');
    const secure = /ssl/i.test(scheme) ? '; encryption is asked for with `tls: {}`' : '';
    return {
      message: `a broker is written \`host:port\`, without \`${scheme}\`${secure}`,
      ...(rest === '' ? {} : { suggestion: rest }),
    };
  }
  if (broker.includes('@')) {
    return { message: 'a broker is written `host:port`: name and password go into `auth`' };
  }
  const parts = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(?::(\d+))?$/.exec(broker);
  if (!parts) return { message: 'a broker is written `host:port`, as in `kafka-1:9092`' };
  if (parts[2] === undefined) {
    return { message: `the port is missing: write \`${broker}:9092\``, suggestion: `${broker}:9092` };
  }
  const port = Number(parts[2]);
  if (port < 1 || port > 65_535) return { message: `${parts[2]} is no port: they go from 1 to 65535` };
  return undefined;
}

/** Whether a host is a name, which certificates and SNI are about, and not an address. */
export const isName = (broker: string): boolean => !/^\[|^\d+(\.\d+){3}(:|$)/.test(broker);
