import type { Diagnostic } from '../diagnostic/index.ts';
import { unknownKeys } from './forms.ts';
import { report, type SpecReading, texts } from './reader.ts';
import type { Located } from './types.ts';
import { isNull, kindName, readYaml, type YamlSource } from './yaml/index.ts';

const FINALIZE_KEYS: ReadonlySet<string> = new Set(['shell', 'install', 'uninstall']);

/** A rendered `finalize.yaml`: commands that clients run in the target root. */
export interface Finalizer {
  /** The shell and its arguments. Empty selects the default shell of the client. */
  readonly shell: readonly Located<string>[];
  readonly install: readonly Located<string>[];
  readonly uninstall: readonly Located<string>[];
}

/** A rendered `finalize.yaml` and its problems. */
export interface FinalizeFile {
  readonly finalizer?: Finalizer;
  readonly problems: readonly Diagnostic[];
}

/** Reads a rendered `finalize.yaml`. An empty one runs no commands. */
export async function readFinalize(source: YamlSource): Promise<FinalizeFile> {
  const { root, problems } = await readYaml(source);
  const reading: SpecReading = { source, problems: [...problems], misspelled: 'error' };
  if (root === undefined || isNull(root)) return { problems };
  if (root.kind !== 'mapping') {
    const message = `finalize.yaml must be a map with the key install, not a ${kindName(root)}`;
    report(reading, root, { code: 'wrong-type', message });
    return { problems: reading.problems };
  }
  unknownKeys(reading, root, FINALIZE_KEYS, 'finalize.yaml', true);
  const finalizer = {
    shell: texts(reading, root, 'shell'),
    install: texts(reading, root, 'install'),
    uninstall: texts(reading, root, 'uninstall'),
  };
  return { finalizer, problems: reading.problems };
}
