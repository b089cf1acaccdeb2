import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Diagnostic, Place as FilePlace } from '../diagnostic/index.ts';
import { nearest } from '../diagnostic/index.ts';
import { type PathLocation, parseLocation, parseReference } from '../image/index.ts';
import type { TreePackage } from '../tree/index.ts';

/** What stands before the path of an image that lies in a tree. */
const transports = ['oci', 'oci-archive', 'docker-archive', 'rootfs'] as const;

/** Where an image lies, or why it does not. */
export type LocalImage =
  /** The path is absolute, and free of symbolic links. */
  | { readonly ok: true; readonly at: PathLocation }
  | ({ readonly ok: false } & Pick<Diagnostic, 'code' | 'message' | 'hint' | 'advice'>);

/**
 * Whether a reference of a spec names a place, known or not, and no image of an engine or a registry: no name has a slash
 * behind a colon, but for a port.
 */
export function isLocalImage(reference: string): boolean {
  return /^(?:oci|oci-archive|docker-archive|rootfs):/.test(reference) || unknownTransport.test(reference);
}

const unknownTransport = /^([A-Za-z][\w+-]*):(?!\d+\/)[^@/]*\//;

/** The image that a reference of a package means: relative to the package's folder, and in its tree. */
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
        ? 'Name an image of a registry without docker://'
        : meant === undefined
          ? `Places are written ${transports.map((one) => `${one}:PATH`).join(', ')}`
          : `Did you mean ${meant}:?`;
    return problem('invalid-image', `images are not taken from ${JSON.stringify(`${scheme}:`)}`, hint);
  }
  const place = parseLocation(reference);
  if (typeof place === 'string' || place.kind === 'name')
    return problem('invalid-image', typeof place === 'string' ? place : `${reference} is no place`);
  let path: string;
  try {
    path = realpathSync.native(resolve(pack.folder, place.path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file or folder' : message;
    return problem('no-such-image', `the image ${reference} cannot be had: ${why}`);
  }
  if (path !== pack.root && !path.startsWith(pack.root.endsWith('/') ? pack.root : `${pack.root}/`))
    return {
      ok: false,
      code: 'outside-tree',
      message: `the image ${reference} lies outside of the package's tree`,
      hint: 'Put it into the tree, or copy it to an engine or a registry and name it there',
      advice: 'copy-image',
    };
  return { ok: true, at: { ...place, path } };
}

/** What is wrong with the images that a package names, as far as that can be told without looking for them. */
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

/** What is wrong with the name of an image of an engine or a registry. */
function nameProblem(reference: string): (LocalImage & { readonly ok: false }) | undefined {
  // Blanks are told of where the file is read; an id is known to the engine that has the image.
  if (/[\s\x00-\x1f\x7f]/.test(reference) || /^[0-9a-f]{64}$/.test(reference)) return undefined;
  const found = parseReference(reference);
  return typeof found === 'string' ? { ok: false, code: 'invalid-image', message: found } : undefined;
}
