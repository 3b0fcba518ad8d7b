/** A value where text is wanted: text as it is, everything else as JSON would write it. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
