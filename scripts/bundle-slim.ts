/**
 * What dependencies load eagerly and this project does not use, or uses rarely, kept out of the bundle's
 * ordinary path. Loading dockerode as published costs a quarter of a second, most of it gRPC and SSH.
 */
import type { Plugin } from 'esbuild';

/** A module that stands for an unused one: loading it is free, using anything of it says what is missing. */
function absent(name: string): string {
  const message = JSON.stringify(`${name} is not part of the luet-ts bundle`);
  // What TypeScript compiled asks each module it loads for \`__esModule\`.
  return `module.exports = new Proxy(function () {}, {
    get(_, name) {
      if (name === '__esModule') return true;
      throw new Error(${message});
    },
    apply() { throw new Error(${message}); },
  });`;
}

/**
 * Modules replaced, by the package that imports them: each is used only by functions that are never called.
 */
const unused: Readonly<Record<string, readonly string[]>> = {
  // BuildKit sessions (build secrets, registry credentials): steps run in containers, not in BuildKit.
  dockerode: ['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs', 'tar-fs', '@balena/dockerignore'],
  // Its own log: of what is loaded, and of the parser where CLI_FLAGS_DEBUG is set (which bundle.ts leaves
  // out).
  '@oclif/core': ['debug'],
};

/**
 * Files of packages that are replaced likewise, by the files that load them. oclif finds commands, plugins and its
 * own settings in folders, asks the system for its shell, and prints what commands throw. Here commands are
 * imported by name (src/cli/commands.ts), settings are known (src/cli/config.ts), and src/cli/run.ts prints errors.
 * Loading these files takes two thirds of oclif's time. Among them is what prints errors about `exclusive`,
 * `dependsOn` and the like of flags: commands have `check` for that.
 */
const unusedFiles: readonly (readonly [owner: string, loader: RegExp, files: RegExp])[] = [
  [
    '@oclif/core/lib',
    /\/config\/\w+\.js$/,
    /^(?:\.\/(?:plugin-loader|plugin|ts-path)|\.\.\/(?:module-loader|util\/os))$/,
  ],
  ['@oclif/core/lib', /\/help\/index\.js$/, /^\.\.\/(?:module-loader|config\/ts-path)$/],
  ['@oclif/core/lib', /\/errors\/index\.js$/, /^\.\/handle$/],
  // How its own errors and messages are printed: src/cli/run.ts prints them.
  ['@oclif/core/lib', /\/errors\/errors\/[\w-]+\.js$/, /^(?:\.\.\/\.\.\/ux\/theme|clean-stack|wrap-ansi)$/],
  ['@oclif/core/lib', /\/errors\/(?:error|warn)\.js$/, /^\.\.\/(?:ux\/write|logger)$/],
  ['@oclif/core/lib', /\/parser\/(?:errors|index)\.js$/, /^(?:\.\.\/ux\/theme|\.\/help)$/],
  ['@oclif/core/lib', /\/lib\/command\.js$/, /^\.\/(?:ux|help\/util)$/],
  ['@oclif/core/lib', /\/config\/config\.js$/, /^(?:\.\.\/(?:ux|ux\/theme|help\/util|performance)|ejs)$/],
  // `Flags.help`; help is src/cli/help.ts.
  ['@oclif/core/lib', /\/lib\/flags\.js$/, /^\.\/help$/],
];

/** An esbuild plugin that leaves out what is unused. */
export const slimDependencies: Plugin = {
  name: 'slim-dependencies',
  setup(build) {
    const packages = new Set(Object.values(unused).flat());
    const filter = new RegExp(`^(${[...packages].join('|')})$`);
    build.onResolve({ filter }, ({ path, importer }) => {
      const owner = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(importer)?.[1] ?? '';
      return unused[owner]?.includes(path) ? { path, namespace: 'absent' } : undefined;
    });
    build.onResolve({ filter: /^(?:\.\.?\/|clean-stack$|wrap-ansi$|ejs$)/ }, ({ path, importer }) => {
      const isUnused = unusedFiles.some(
        ([owner, loader, files]) =>
          importer.includes(`/node_modules/${owner}/`) && loader.test(importer) && files.test(path),
      );
      return isUnused
        ? { path: `${path} of ${importer.replace(/.*\/node_modules\//, '')}`, namespace: 'absent' }
        : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents: absent(path),
      loader: 'js',
    }));

    // `ssh://` engines are reached by the ssh program (src/engine/docker/connection/ssh.ts).
    build.onResolve({ filter: /^\.\/ssh$/ }, ({ importer }) =>
      /\/docker-modem\/lib\/modem\.js$/.test(importer) ? { path: 'ssh2', namespace: 'absent' } : undefined,
    );
  },
};
