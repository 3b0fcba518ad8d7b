import { isIP, connect as plain, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import { defaultPort, type Settings } from './settings.ts';
import { socketTrouble, Trouble } from './trouble.ts';

const noTls = 'the connection was closed before TLS was agreed: is it a port without TLS (`mqtt:`)?';

/** A connection to the broker, ready to be spoken over; rejects with a {@link Trouble}. */
export function openSocket(url: URL, settings: Settings, signal: AbortSignal): Promise<Socket> {
  const { tls } = settings;
  const isSecure = url.protocol === 'mqtts:';
  // An IPv6 address stands in brackets in a URL.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port) || defaultPort(url.protocol);
  const servername = tls.servername ?? (isIP(host) ? undefined : host);
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let socket: Socket;
    try {
      socket = isSecure
        ? secure({
            host,
            port,
            ...(servername === undefined ? {} : { servername }),
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
            rejectUnauthorized: tls.rejectUnauthorized,
          })
        : plain({ host, port });
    } catch (thrown) {
      // A certificate or key that cannot be read.
      reject(new Trouble(socketTrouble(thrown, isSecure).message, true));
      return;
    }
    const leave = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    // It stays for good: an error without a listener would end the process.
    socket.on('error', (error) => {
      signal.removeEventListener('abort', leave);
      const unheard = isSecure && 'code' in error && error.code === 'ECONNRESET';
      reject(unheard ? new Trouble(noTls) : socketTrouble(error, isSecure));
    });
    socket.once('close', () => reject(new Trouble('the connection was closed')));
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      signal.removeEventListener('abort', leave);
      // Acknowledgements are small: waiting for more to send with them would only delay the next messages.
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
