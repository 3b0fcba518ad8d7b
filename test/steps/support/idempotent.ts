export const guarded = (rest: string, options = 'key: id'): string => `- idempotent: { ${options} }\n${rest}`;

export const charge = '- call: { endpoint: a, test: { path: charge }, as: charged }';

export const chargeAndRespond = `${charge}\n- respond: { status: 201, headers: { x-charge: "\${{ $charged.n }}" }, body: { n: "\${{ $charged.n }}" } }`;

/** Answers each call with its number. */
export const counting = (): (() => { body: { n: number } }) => {
  let n = 0;
  return () => ({ body: { n: ++n } });
};
