import { choice, commaList, withValue } from './define.ts';
import { engineFlagsWith } from './engine.ts';
import { platform } from './values.ts';

/** The flags that say which engine's images are meant. */
export const imageEngineFlags = engineFlagsWith({
  engine:
    'engine whose images are meant: auto, native, docker, podman, or an address such as unix:///var/run/docker.sock',
  store: "folder of the native engine's images",
});

/** The flag that says which registries are talked to without encryption. */
export const plainHttpFlag = commaList({
  value: '<host>',
  summary: 'use this registry without encryption (repeatable)',
});

/** The flags that say how registries are talked to. */
export const registryFlags = {
  platform: withValue({
    value: '<platform>',
    summary: 'platform to choose from an image for several, such as linux/arm64 (default: this machine)',
    read: platform,
  }),
  'plain-http': plainHttpFlag,
};

/** The flag that says how layers are sent to registries. */
export const layerCompressionFlag = choice(['gzip', 'zstd', 'none'], {
  summary: 'compression of plain layers that are sent to a registry (default: gzip)',
  description:
    'zstd is smaller and faster, and old clients cannot read it. Refused where nothing is sent to a registry.',
});
