class Bare {}
Reflect.deleteProperty(Bare.prototype, 'constructor');
Object.setPrototypeOf(Bare.prototype, null);
Object.freeze(Bare.prototype);

/**
 * An object that inherits nothing, as `Object.create(null)` makes one; but that would be a hash table, which costs several
 * times as much to fill and to go through. For small ones that every message has.
 */
export const bare = <T>(): Record<string, T> => new Bare() as Record<string, T>;
