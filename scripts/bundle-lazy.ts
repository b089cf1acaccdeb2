/**
 * Libraries that are loaded at their first use, so that they work in the bundle as they do from sources.
 *
 * `await import('package')` of a CommonJS package: esbuild puts it into a chunk that exports nothing but `default`, so
 * that `const { parse } = await import('package')` is undefined there, and only there. It gets Node's names here.
 *
 * `createRequire(import.meta.url)('package')`: esbuild does not see these, and the bundle would ask for a node_modules
 * that neither the container image nor an installed package has to have. Each becomes a file beside the chunks.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin, PluginBuild } from 'esbuild';

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
export const lazyImports: Plugin = {
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

/** A call that loads a package at its first use, with the package's name. */
const required = /createRequire\(import\.meta\.url\)\('([^'./][^']*)'\)/g;

/** One library as a CommonJS file, named by its content as chunks are. */
async function bundleRequired(
  build: PluginBuild,
  library: string,
  resolveDir: string,
): Promise<{ readonly name: string; readonly contents: Uint8Array }> {
  const found = await build.resolve(library, { kind: 'require-call', resolveDir });
  if (found.errors.length > 0) throw new Error(`${library}: ${found.errors[0]?.text}`);
  const { outputFiles } = await build.esbuild.build({
    ...build.initialOptions,
    entryPoints: [found.path],
    format: 'cjs',
    splitting: false,
    plugins: [],
  });
  const contents = outputFiles?.[0]?.contents ?? new Uint8Array();
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 8).toUpperCase();
  return { name: `${library.replace(/\W+/g, '-')}-${hash}.cjs`, contents };
}

/** An esbuild plugin that turns packages which sources load by `createRequire` into files of the output folder. */
export const lazyRequires: Plugin = {
  name: 'lazy-requires',
  setup(build) {
    const outside = build.initialOptions.external ?? [];
    const isBundled = (name: string): boolean =>
      !isBuiltin(name) && !outside.some((one) => name === one || name.startsWith(`${one}/`));
    const files = new Map<string, ReturnType<typeof bundleRequired>>();
    const fileOf = (library: string, from: string): ReturnType<typeof bundleRequired> => {
      const file = files.get(library) ?? bundleRequired(build, library, from);
      files.set(library, file);
      return file;
    };
    build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const libraries = [...text.matchAll(required)].map(([, name = '']) => name).filter(isBundled);
      if (libraries.length === 0) return undefined;
      const names = new Map<string, string>();
      for (const library of libraries) names.set(library, (await fileOf(library, dirname(path))).name);
      const contents = text.replace(required, (call, library: string) => {
        const name = names.get(library);
        return name === undefined ? call : `createRequire(import.meta.url)("./${name}")`;
      });
      return { contents, loader: 'ts' };
    });
    build.onEnd(async ({ outputFiles }) => {
      const { outdir = '', absWorkingDir = '' } = build.initialOptions;
      for (const { name, contents } of await Promise.all(files.values()))
        outputFiles?.push({
          path: join(absWorkingDir, outdir, name),
          contents,
          hash: name,
          get text() {
            return Buffer.from(contents).toString();
          },
        });
    });
  },
};
