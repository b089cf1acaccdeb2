/**
 * What dependencies load eagerly and this project does not use, or uses rarely, kept out of the bundle's
 * ordinary path. Loading dockerode as published costs a quarter of a second, most of it gRPC and SSH.
 */
import type { Plugin } from 'esbuild';

/** A module that stands for an unused one: loading it is free, using anything of it says what is missing. */
function absent(name: string): string {
  const message = JSON.stringify(`${name} is not part of the luet-ts bundle`);
  return `module.exports = new Proxy(function () {}, {
    get() { throw new Error(${message}); },
    apply() { throw new Error(${message}); },
  });`;
}

/** Modules replaced, by the package that imports them: each is used only by functions that are never called. */
const unused: Readonly<Record<string, readonly string[]>> = {
  // BuildKit sessions (build secrets, registry credentials): steps run in containers, not in BuildKit.
  dockerode: ['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs', 'tar-fs', '@balena/dockerignore'],
  // Starting subcommands that are programs of their own.
  commander: ['node:child_process'],
};

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
