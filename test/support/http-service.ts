import { createServer, type RequestListener } from 'node:http';
import type { TestContext } from 'node:test';

/** A service written by hand, for answers that no example gives; resolves with its URL. The test's end closes it. */
export async function service(t: Pick<TestContext, 'after'>, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}
