/** `node main.ts JOB BACKEND`: one job, served on a free port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openPool } from './http.ts';
import { jobs } from './jobs.ts';

const [name = '', backend = ''] = process.argv.slice(2);
const job = jobs[name];
if (!job) throw new Error(`there is no job ${name}`);
const pool = openPool(backend);
const server = createServer((request, response) => job(pool, request, response));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
