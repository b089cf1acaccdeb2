/**
 * An object with all members of `target`, some of them replaced by `members`. Nothing is listed twice: a
 * member that `target` gets later is there, too, optional ones and parameters included. Methods of `target`
 * run on `target` itself.
 */
export function overriding<T extends object, M extends object>(
  target: T,
  members: M,
): Omit<NoInfer<T>, keyof M> & NoInfer<M> {
  const proxy: unknown = new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name) as unknown;
      // With `target` as receiver: a getter may read private fields, which a proxy does not have.
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
    has: (_, name) => Object.hasOwn(members, name) || Reflect.has(target, name),
  });
  return proxy as Omit<T, keyof M> & M;
}
