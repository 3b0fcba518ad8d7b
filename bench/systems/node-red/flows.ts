/** The jobs as flows of Node-RED, built from its own nodes as its editor would save them. */

interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly wires?: readonly (readonly string[])[];
  readonly [property: string]: unknown;
}

const tab = { id: 'tab', type: 'tab', label: 'bench' };

const node = (id: string, type: string, wires: readonly (readonly string[])[], properties: object): FlowNode => ({
  id,
  type,
  z: 'tab',
  name: id,
  x: 0, // what has no place in the editor is taken for a configuration
  y: 0,
  ...properties,
  wires,
});

const httpIn = (method: 'get' | 'post', url: string, next: string): FlowNode =>
  node('in', 'http in', [[next]], { method, url, upload: false });

/** It has to be told what it sends: a call's answer loses its type on the way. */
const httpOut = (contentType = 'application/json'): FlowNode =>
  node('out', 'http response', [], { statusCode: '', headers: { 'content-type': contentType } });

/** Without the headers of the incoming request, which would go out with the call. */
const change = (id: string, next: readonly string[], rules: readonly object[]): FlowNode =>
  node(id, 'change', [next], { rules: [...rules, { t: 'delete', p: 'headers', pt: 'msg' }] });

const set = (property: string, expression: string): object => ({
  t: 'set',
  p: property,
  pt: 'msg',
  to: expression,
  tot: 'jsonata',
});

const call = (id: string, url: string, next: string, properties: object = {}): FlowNode =>
  node(id, 'http request', [[next]], {
    method: 'POST',
    ret: 'bin',
    paytoqs: 'ignore',
    url,
    persist: true,
    insecureHTTPParser: false,
    authType: '',
    senderr: true,
    headers: [],
    ...properties,
  });

const type = (value: string): object => ({
  headers: [{ keyType: 'Content-Type', keyValue: '', valueType: value, valueValue: '' }],
});

const regions = ['america', 'europe', 'world'] as const;

/** `rules`: to which of the three each leads. */
function router(property: string, rules: readonly (readonly [string, (typeof regions)[number]])[], backend: string) {
  const wires = [...rules.map(([, region]) => [region]), ['world']];
  const written = [...rules.map(([value]) => ({ t: 'eq', v: value, vt: 'str' })), { t: 'else' }];
  return [
    httpIn('post', '/orders', 'choose'),
    node('choose', 'switch', wires, {
      property,
      propertyType: 'msg',
      rules: written,
      checkall: 'false',
      repair: false,
    }),
    ...regions.flatMap((region) => [
      change(region, [`call ${region}`], []),
      call(`call ${region}`, `${backend}/${region}/echo`, 'out'),
    ]),
    httpOut(),
  ];
}

const mapping = `{
  "reference": payload.orderId,
  "receiver": payload.customer.name & ", " & payload.customer.country,
  "lines": payload.items.{ "article": sku, "text": $uppercase(name), "sum": quantity * price },
  "total": $sum(payload.items.(quantity * price)),
  "large": $count(payload.items) > 50
}`;

// In brackets: the lists of JSONata carry marks, which the xml node would write as elements.
const toXml = `{
  "order": {
    "$": { "id": payload.orderId },
    "customer": { "$": { "country": payload.customer.country }, "_": payload.customer.name },
    "item": [payload.items.{ "$": { "sku": sku }, "name": name, "quantity": quantity, "price": price }]
  }
}`;

const fromXml = `{
  "orderId": payload.order.\`$\`.id,
  "customer": { "name": payload.order.customer[0]._, "country": payload.order.customer[0].\`$\`.country },
  "items": payload.order.item.{
    "sku": \`$\`.sku,
    "name": name[0],
    "quantity": $number(quantity[0]),
    "price": $number(price[0])
  }
}`;

const part = (name: string, index: number): string =>
  `{ "id": _msgid, "type": "object", "count": 3, "index": ${index}, "key": "${name}" }`;

type Flow = (backend: string) => readonly FlowNode[];

const jobs: Readonly<Record<string, Flow>> = {
  'pass-through': (backend) => [
    httpIn('post', '/orders', 'clean'),
    change('clean', ['call'], []),
    call('call', `${backend}/echo`, 'out'),
    httpOut(),
  ],
  'header-router': (backend) =>
    router(
      'req.headers["x-region"]',
      [
        ['america', 'america'],
        ['europe', 'europe'],
      ],
      backend,
    ),
  'content-router': (backend) =>
    router(
      'payload.customer.country',
      [
        ...['US', 'CA', 'MX'].map((country) => [country, 'america'] as const),
        ...['DE', 'FR', 'UK'].map((country) => [country, 'europe'] as const),
      ],
      backend,
    ),
  'json-to-json': (backend) => [
    httpIn('post', '/orders', 'map'),
    change('map', ['call'], [set('payload', mapping)]),
    call('call', `${backend}/echo`, 'out'),
    httpOut(),
  ],
  'json-to-xml': (backend) => [
    httpIn('post', '/orders', 'map'),
    change('map', ['xml'], [set('payload', toXml)]),
    node('xml', 'xml', [['call']], { property: 'payload', attr: '$', chr: '_' }),
    call('call', `${backend}/echo`, 'out', type('application/xml')),
    httpOut('application/xml'),
  ],
  'xml-to-json': (backend) => [
    httpIn('post', '/orders', 'xml'),
    node('xml', 'xml', [['map']], { property: 'payload', attr: '$', chr: '_' }),
    change('map', ['call'], [set('payload', fromXml)]),
    call('call', `${backend}/echo`, 'out'),
    httpOut(),
  ],
  'scatter-gather': (backend) => [
    httpIn('get', '/offers/:size', 'clean'),
    change('clean', ['stock', 'price', 'reviews'], []),
    ...['stock', 'price', 'reviews'].flatMap((name, index) => [
      change(
        name,
        [`call ${name}`],
        [set('parts', part(name, index)), set('url', `"${backend}/parts/" & req.params.size & "/${name}"`)],
      ),
      call(`call ${name}`, '', 'join', { method: 'GET', ret: 'obj' }),
    ]),
    node('join', 'join', [['answer']], { mode: 'auto', build: 'object', property: 'payload', propertyType: 'msg' }),
    change('answer', ['out'], []),
    httpOut(),
  ],
};

/** `undefined` where there is no flow for the job. */
export const flowOf = (job: string, backend: string): readonly object[] | undefined => {
  const flow = Object.hasOwn(jobs, job) ? jobs[job] : undefined;
  return flow && [tab, ...flow(backend)];
};
