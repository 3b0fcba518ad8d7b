const harmless = /^[\w.:/+=@~-]{1,128}$/;

/** What the caller calls the request, if that is short and can stand in a log: else it is as if it had said nothing. */
export const requestIdOf = (given: string | readonly string[] | undefined): string | undefined =>
  typeof given === 'string' && harmless.test(given) ? given : undefined;
