// Preloaded into the processes of tests: what one has compiled is not compiled again by the next 250. Apart from the
// cache of the launcher: what was compiled with its flags does not fit others.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

module.enableCompileCache(fileURLToPath(new URL('../../.cache/test', import.meta.url)));
