import { check } from '../../../connectors/nats/check.ts';
import { describeMistakes } from '../mistakes.ts';

describeMistakes(check, [
  [
    'two ways to say who we are',
    'endpoint',
    { url: 'nats://n', username: 'u', token: 't' },
    'token',
    /by `username` or by `token`/,
  ],
  ['a user in the URL and beside it', 'endpoint', { url: 'nats://u:p@n', nkey: 's' }, 'nkey', /names a user already/],
  ['a password without a user', 'endpoint', { url: 'nats://n', password: 'p' }, 'password', /add `username`/],
  ['a certificate without its key', 'endpoint', { url: 'nats://n', tls: { cert: {} } }, 'tls', /add `key`/],
  ['WebSocket', 'endpoint', { url: 'wss://n' }, 'url', /WebSocket is not supported/],
]);
