/**
 * Gives `await import('package')` of a CommonJS package the same names in the bundle as in Node. esbuild puts such a
 * package into a chunk that exports nothing but `default`, so that `const { parse } = await import('package')` is
 * undefined there, and only there.
 */
import { isBuiltin } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';

const namespace = 'lazy-commonjs';

/** Marks requests of this plugin's own, which must not come back to it. */
const own = Symbol(namespace);

/** The names that Node finds in a CommonJS module, besides `default`; undefined for an ES module. */
async function commonJsNames(path: string): Promise<readonly string[] | undefined> {
  const names = Object.keys((await import(pathToFileURL(path).href)) as object);
  if (!names.includes('module.exports')) return undefined;
  return names.filter((name) => name !== 'default' && /^[A-Za-z_$][\w$]*$/.test(name));
}

/** An esbuild plugin; bundling loads each package that is imported in this way, to ask Node for its names. */
export const lazyCommonJs: Plugin = {
  name: namespace,
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (kind !== 'dynamic-import' || pluginData === own || isBuiltin(path)) return undefined;
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: own });
      if (found.errors.length > 0 || found.external || found.namespace !== 'file') return undefined;
      const names = await commonJsNames(found.path);
      return names === undefined ? undefined : { path: found.path, namespace, pluginData: names };
    });
    build.onLoad({ filter: /.*/, namespace }, ({ path, pluginData }) => ({
      contents: [
        `const all = require(${JSON.stringify(path)});`,
        'export default all;',
        `export const { ${(pluginData as readonly string[]).join(', ')} } = all;`,
      ].join('\n'),
      resolveDir: '/',
      loader: 'js',
    }));
  },
};
