/** Words of other systems, and what they are called here: `nearest` knows spelling only. */
const keys: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
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
    http: ['call'],
    soap: ['call'],
    webhook: ['http'],
    direct: ['channel'],
    seda: ['channel'],
    marshal: ['convert'],
    unmarshal: ['convert'],
    doTry: ['try'],
    doCatch: ['catch'],
    doFinally: ['finally'],
    onException: ['onError'],
    errorHandler: ['onError'],
    do: ['steps'],
    in: ['items'],
    over: ['items'],
    until: ['while'],
    statusCode: ['status'],
    payload: ['body'],
    retries: ['retry', 'maxAttempts', 'redelivery'],
    retry: ['redelivery'],
    dlq: ['deadLetter'],
    deadLetterQueue: ['deadLetter'],
    deadLetterChannel: ['deadLetter'],
    maximumRedeliveries: ['maxAttempts'],
    maxRetries: ['maxAttempts'],
    redeliveryDelay: ['delay'],
    multiplier: ['factor'],
    backOffMultiplier: ['factor'],
    partitionBy: ['orderBy'],
    groupBy: ['orderBy'],
    attempts: ['maxAttempts'],
    timeout: ['deadline'],
    'timeout-minutes': ['deadline'],
    env: ['config'],
    vars: ['variables'],
    variable: ['variables'],
    oidc: ['jwt'],
    openIdConnect: ['jwt'],
    bearer: ['jwt'],
    oauth: ['oauth2', 'jwt'],
    clientCredentials: ['oauth2'],
    certificate: ['mtls', 'cert'],
    passthrough: ['forward'],
  }),
);

/** `then` is no key of the map above: an object that has one is taken for a promise. */
const wordFor = (word: string): readonly string[] | undefined => (word === 'then' ? ['steps'] : keys.get(word));

/** What a word of other systems is called among `names`. */
export const habit = (word: string, names: readonly string[]): string | undefined =>
  wordFor(word)?.find((name) => names.includes(name));

const values: ReadonlyMap<string, string> = new Map([
  ['int', 'integer'],
  ['long', 'integer'],
  ['float', 'number'],
  ['double', 'number'],
  ['bool', 'boolean'],
  ['str', 'string'],
  ['text', 'string'],
  ['url', 'uri'],
  ['warning', 'warn'],
  ['trace', 'debug'],
]);

/** The same for a value that is one of several words. */
export function habitValue(word: string, names: readonly string[]): string | undefined {
  const meant = values.get(word.toLowerCase());
  return meant !== undefined && names.includes(meant) ? meant : undefined;
}

/** Where others write the address of what is called. */
export const isUrl = (word: string): boolean => ['url', 'uri', 'href', 'baseUrl'].includes(word);

/** Where others name the kind in a field of its own. */
export const kindFields: readonly string[] = ['type', 'kind', 'uses', 'step', 'action', 'component'];
