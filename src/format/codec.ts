import type { Codec } from '../core/body.ts';
import { readBody, writeBody } from './index.ts';
import { json } from './json.ts';

/** What bodies are read and written by. */
export const codec: Codec = { defaultType: json.mediaType, read: readBody, write: writeBody };
