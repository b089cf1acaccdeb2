import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Diagnostic, Place as FilePlace } from '../diagnostic/index.ts';
import { nearest } from '../diagnostic/index.ts';
import { type PathLocation, parseLocation, parseReference } from '../image/index.ts';
import type { TreePackage } from '../tree/index.ts';

/** The kinds of images that can be stored in a tree. */
const transports = ['oci', 'oci-archive', 'docker-archive', 'rootfs'] as const;

/** The location of an image, or why it is invalid. */
export type LocalImage =
  /** The path is absolute, without symbolic links. */
  | { readonly ok: true; readonly at: PathLocation }
  | ({ readonly ok: false } & Pick<Diagnostic, 'code' | 'message' | 'hint' | 'advice'>);

/**
 * Whether a reference names a location (of a known kind or not) instead of an image of an engine or registry:
 * in image names, a colon before a slash only occurs before a port.
 */
export function isLocalImage(reference: string): boolean {
  return /^(?:oci|oci-archive|docker-archive|rootfs):/.test(reference) || unknownTransport.test(reference);
}

const unknownTransport = /^([A-Za-z][\w+-]*):(?!\d+\/)[^@/]*\//;

/**
 * The image that a reference of a package refers to: relative to the package's folder, and inside its tree.
 */
export function locateImage(reference: string, pack: Pick<TreePackage, 'folder' | 'root'>): LocalImage {
  const problem = (code: string, message: string, hint?: string): LocalImage => ({
    ok: false,
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
  });
  const scheme = reference.slice(0, reference.indexOf(':'));
  if (!transports.some((one) => one === scheme)) {
    const meant = nearest(scheme, transports);
    const hint =
      scheme === 'docker'
        ? 'Remove docker:// to use an image of a registry'
        : meant === undefined
          ? `Valid locations are ${transports.map((one) => `${one}:PATH`).join(', ')}`
          : `Did you mean ${meant}:?`;
    return problem('invalid-image', `unknown kind of image location ${JSON.stringify(`${scheme}:`)}`, hint);
  }
  const place = parseLocation(reference);
  if (typeof place === 'string' || place.kind === 'name')
    return problem(
      'invalid-image',
      typeof place === 'string' ? place : `${reference} is not an image location`,
    );
  let path: string;
  try {
    path = realpathSync.native(resolve(pack.folder, place.path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'the file or folder does not exist' : message;
    return problem('no-such-image', `image ${reference} not found: ${why}`);
  }
  if (path !== pack.root && !path.startsWith(pack.root.endsWith('/') ? pack.root : `${pack.root}/`))
    return {
      ok: false,
      code: 'outside-tree',
      message: `image ${reference} is outside the package's tree`,
      hint: 'Put it into the tree, or copy it to an engine or a registry and name it there',
      advice: 'copy-image',
    };
  return { ok: true, at: { ...place, path } };
}

/** Problems of the image names in a package that can be found without looking for the images. */
export function imageNameProblems(pack: TreePackage): Diagnostic[] {
  const { build, key } = pack;
  const named: { readonly value: string; readonly place: FilePlace }[] = [
    ...(build?.image === undefined ? [] : [build.image]),
    ...(build?.copy ?? []).flatMap(({ image, place }) =>
      image === undefined ? [] : [{ value: image, place }],
    ),
  ];
  return named.flatMap(({ value, place }) => {
    const found = isLocalImage(value) ? locateImage(value, pack) : nameProblem(value);
    if (found === undefined || found.ok) return [];
    const { ok: _, ...problem } = found;
    return [{ severity: 'error', ...problem, place, package: key }];
  });
}

/** What is wrong with the name of an image of an engine or registry. */
function nameProblem(reference: string): (LocalImage & { readonly ok: false }) | undefined {
  // Whitespace is reported when the file is read. An image id is valid if the engine has that image.
  if (/[\s\x00-\x1f\x7f]/.test(reference) || /^[0-9a-f]{64}$/.test(reference)) return undefined;
  const found = parseReference(reference);
  return typeof found === 'string' ? { ok: false, code: 'invalid-image', message: found } : undefined;
}
