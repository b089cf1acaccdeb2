import type { Keychain } from '../image/index.ts';

/** A setting of the surroundings, by the name that people know it by, such as that of a variable. */
export interface Setting {
  readonly name: string;
  /** Absent where it is not set. */
  readonly value?: string | undefined;
}

/** What the surroundings of a program say of engines: where they are, and what they keep where. */
export interface EngineSettings {
  /** The address of a Docker API. */
  readonly docker: Setting;
  /** The address of a podman API. */
  readonly podman: Setting;
  /**
   * The Docker context that is chosen for this program alone; that of the Docker command line's configuration
   * where absent.
   */
  readonly context?: string | undefined;
  /** The folder of the certificates for Docker APIs by TLS; absent where none are to be used. */
  readonly certificates?: string | undefined;
  /** Where credentials of registries are. */
  readonly keychain: Keychain;
  /** Absolute path of the user's home folder. */
  readonly home: string;
  /** The folder in which the user's services have their sockets; absent where there is none. */
  readonly runtimeFolder?: string | undefined;
  /** The folder of the native engine's images where no other is named. */
  readonly store: string;
  /** The environment of programs that are started to reach an engine. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}
