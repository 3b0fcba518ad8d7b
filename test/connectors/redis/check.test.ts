import { check } from '../../../connectors/redis/check.ts';
import { describeMistakes } from '../mistakes.ts';

describeMistakes(check, [
  ['two passwords', 'endpoint', { url: 'redis://:a@r', password: 'b' }, 'password', /has a password already/],
  [
    'two users',
    'endpoint',
    { url: 'redis://u:p@r', username: 'v', password: undefined },
    'username',
    /names a user already/,
  ],
  ['a certificate without its key', 'endpoint', { url: 'rediss://r', tls: { cert: {} } }, 'tls', /add `key`/],
  ['options in the URL', 'endpoint', { url: 'redis://r?db=1' }, 'url', /options stand beside it/],
]);
