/**
 * What `load` gives, loaded when it is asked for the first time. For `require('./some.ts')`: `import()` would make
 * everybody asynchronous who may need it; Node can require ES modules, at once and only once.
 */
export function lazily<T>(load: () => T): () => T {
  let loaded: T | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}
