/** Whether a file has tests, by its name. */
export const isTestFile = (file: string): boolean => /\.test\.ya?ml$/.test(file);
