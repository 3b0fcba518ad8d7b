/** The step says that its call may be repeated. */
export const isRepeatable = (operation: unknown): boolean =>
  (operation as { readonly repeatable?: unknown } | undefined)?.repeatable === true;
