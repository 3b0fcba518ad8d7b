/** How a client shows a server of tokens who it is (RFC 6749 §2.3.1): in a header, or in `form`. Gives the headers. */
export function clientCredentials(
  {
    clientId,
    clientSecret,
    authMethod,
  }: { readonly clientId: string; readonly clientSecret: string; readonly authMethod: 'basic' | 'post' },
  form: URLSearchParams,
): Readonly<Record<string, string>> {
  if (authMethod === 'basic') {
    // Each is encoded as a form is, before both are joined.
    const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }
  form.set('client_id', clientId);
  form.set('client_secret', clientSecret);
  return {};
}

const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);
