/** Words of other systems, and what they are called here: `nearest` knows spelling only. */
const keys: Readonly<Record<string, readonly string[]>> = {
  if: ['when'],
  condition: ['when'],
  id: ['name'],
  title: ['name'],
  trigger: ['from'],
  source: ['from'],
  uri: ['url'],
  href: ['url'],
  baseUrl: ['url'],
  choice: ['switch'],
  case: ['cases'],
  default: ['otherwise'],
  else: ['otherwise'],
  mapping: ['transform'],
  map: ['transform'],
  jsonata: ['transform'],
  setBody: ['set'],
  setHeader: ['set'],
  enrich: ['call'],
  request: ['call'],
  publish: ['send'],
  reply: ['respond'],
  return: ['respond'],
  multicast: ['scatterGather'],
  parallel: ['scatterGather'],
  split: ['forEach'],
  foreach: ['forEach'],
  each: ['items'],
  throw: ['fail'],
  raise: ['fail'],
  sleep: ['delay'],
  wait: ['delay'],
  code: ['script'],
  javascript: ['script'],
  subflow: ['run', 'flow'],
  print: ['log'],
  result: ['as', 'into'],
  interval: ['every'],
  schedule: ['cron'],
};

/** What a word of other systems is called among `names`. */
export const habit = (word: string, names: readonly string[]): string | undefined =>
  Object.hasOwn(keys, word) ? keys[word]?.find((name) => names.includes(name)) : undefined;

/** Where others name the kind in a field of its own. */
export const kindFields: readonly string[] = ['type', 'kind', 'uses', 'step', 'action', 'component'];
