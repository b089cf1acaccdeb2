import { join } from 'node:path';
import type { StepPaths } from '../cache/index.ts';
import { type Cut, cut, entriesOf } from '../delta/index.ts';
import { checkWritable, isFolderThere } from '../disk/index.ts';
import type { Reader } from '../engine/index.ts';
import {
  buildMetadata,
  outputsOf,
  type PackageOutput,
  type PlanIndex,
  type ResolvedArtifact,
} from '../resolve/index.ts';
import { formatPackage, packageName } from '../spec/index.ts';
import { type FileEntry, toText } from '../tar/index.ts';
import { PackageFailure } from './failure.ts';
import { refuseEmpty } from './nothing-added.ts';
import type { BuiltPackage, ExecuteOptions } from './types.ts';
import { bytes } from './units.ts';

/** The outputs of an artifact with a known key. */
export function knownOutputs(index: PlanIndex, artifact: ResolvedArtifact): readonly PackageOutput[] {
  const outputs = outputsOf(index, artifact);
  if (outputs === undefined)
    throw new Error(`internal error: the key of ${artifact.package} is not known yet`);
  return outputs;
}

/**
 * The folder for an artifact's packages. Packages that are only used as content of parent images get separate
 * temporary folders, because two of them can have the same file name.
 */
const folderOf = (artifact: ResolvedArtifact, { destination, temporary }: ExecuteOptions): string =>
  artifact.wanted ? destination : join(temporary, 'content', encodeURIComponent(artifact.package));

/** The packages of an artifact in the destination, if all of them are exactly those that would be written. */
export async function findUnchanged(
  index: PlanIndex,
  artifact: ResolvedArtifact,
  options: ExecuteOptions,
): Promise<readonly BuiltPackage[] | undefined> {
  const { format, clock, onEvent } = options;
  const start = clock();
  const packages: BuiltPackage[] = [];
  for (const output of knownOutputs(index, artifact)) {
    const found = await format.find(output, folderOf(artifact, options));
    if (found === undefined) return undefined;
    const { archive, size } = found;
    const milliseconds = clock() - start;
    packages.push({ package: output.name, outcome: 'unchanged', archive, files: 0, size, milliseconds });
  }
  for (const one of packages) onEvent({ type: 'written', ...one });
  return packages;
}

/**
 * Rejects with a `FileError` if the destination is not writable, and with a `PackageFailure` if the files to
 * write exist and belong to another package.
 */
export async function refuseOthers(
  index: PlanIndex,
  artifact: ResolvedArtifact,
  { destination, format }: ExecuteOptions,
): Promise<void> {
  if (!artifact.wanted) return;
  // Checked before any command runs.
  if (isFolderThere(destination)) checkWritable(destination);
  const pack = index.package(artifact.package);
  for (const { fingerprint, runtime } of pack.outputs) {
    const other = await format.owner(fingerprint, destination);
    if (other === undefined || packageName(other) === packageName(runtime)) continue;
    throw new PackageFailure(pack, [
      {
        code: 'same-file',
        message: `${join(destination, fingerprint)} belongs to ${formatPackage(other)}, and this package would overwrite it`,
        place: pack.place,
        hint: 'Use another destination, or remove the files of the other package',
        advice: 'another-destination',
      },
    ]);
  }
}

/** The source from which an artifact's packages are cut. */
export interface CutSource {
  /** Undefined if the packages are empty, so that no image is needed. */
  readonly reader: Reader | undefined;
  /** The files that steps added. */
  readonly added: readonly FileEntry[];
  /** Existing paths that steps changed, or their number if the paths are not recorded. */
  readonly changed: StepPaths['changed'];
  readonly outcome: BuiltPackage['outcome'];
}

/**
 * Cuts and writes the packages of an artifact: itself, then its subpackages. Writes either all of them or
 * none.
 */
export async function writePackages(
  index: PlanIndex,
  artifact: ResolvedArtifact,
  source: CutSource,
  options: ExecuteOptions,
): Promise<readonly BuiltPackage[]> {
  const { reader, added, changed } = source;
  const chosen: ChosenFiles[] = [];
  for (const output of knownOutputs(index, artifact)) {
    const { files, unmatched } = reader === undefined ? NOTHING : await cut(reader, output.cut, added);
    chosen.push({ output, files, unmatched });
  }
  if (reader !== undefined) refuseEmpty(index.package(artifact.package), chosen, changed);
  const packages: BuiltPackage[] = [];
  for (const one of chosen) packages.push(await writePackage(index, artifact, one, source, options));
  return packages;
}

/** The files of one package, and the expressions that matched no path. */
interface ChosenFiles extends Pick<Cut, 'files' | 'unmatched'> {
  readonly output: PackageOutput;
}

const NOTHING = { files: [], unmatched: [] };

async function writePackage(
  index: PlanIndex,
  artifact: ResolvedArtifact,
  { output, files: chosen, unmatched }: ChosenFiles,
  { reader, outcome }: CutSource,
  options: ExecuteOptions,
): Promise<BuiltPackage> {
  const { format, runId, signal, onEvent, clock } = options;
  const start = clock();
  const notice = (message: string): void => onEvent({ type: 'notice', package: output.name, message });
  // An excluded path that does not exist is not a mistake.
  const { includes, within } = output.cut;
  const asked = new Set([...includes, ...(within?.includes ?? [])]);
  for (const expression of unmatched)
    if (asked.has(expression)) notice(`the expression ${expression} matches no path`);
  if (output.cut.kind === 'delta' && chosen.some(({ path }) => path.startsWith('luetbuild/')))
    notice('the package contains files of /luetbuild; exclude ^/luetbuild if that is not intended');
  for (const { file } of chosen) {
    const { path, size, stored } = file;
    if (stored === undefined) continue;
    const name = JSON.stringify(`/${toText(path)}`);
    // Before it is written: it may fill the disk.
    notice(
      `${name} is sparse: of its ${bytes(size)}, ${bytes(stored)} are stored; the package will contain all of them; exclude the file, or do not create it, if that is not intended`,
    );
  }
  const node = artifact.node === undefined ? undefined : index.node(artifact.node);
  const inputs = node?.identity.state === 'known' ? node.identity.inputs : undefined;
  const { archive, files, size } = await format.write(
    { ...output, build: buildMetadata(index, artifact, output), ...(inputs === undefined ? {} : { inputs }) },
    reader === undefined ? none() : entriesOf(reader, chosen, output.latest),
    { folder: folderOf(artifact, options), runId, signal },
  );
  const milliseconds = clock() - start;
  const result: BuiltPackage = { package: output.name, outcome, archive, files, size, milliseconds };
  onEvent({ type: 'written', ...result });
  return result;
}

async function* none(): AsyncGenerator<never, void, undefined> {}
