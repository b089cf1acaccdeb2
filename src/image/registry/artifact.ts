import { collect, digestOf } from '../layer/verify.ts';
import { LONGEST_MANIFEST, OCI_INDEX, OCI_MANIFEST, parseDescriptor } from '../manifest.ts';
import { familiarName, type Reference } from '../reference.ts';
import { type Descriptor, type Digest, ImageError } from '../types.ts';
import type { RegistryConnection } from './connection.ts';
import { download, pullScope } from './download.ts';
import { RegistryError } from './error.ts';
import { pushScope, uploadBlob } from './upload.ts';

/**
 * The empty configuration of manifests that are not images (OCI image specification, guidance for an empty
 * descriptor).
 */
const EMPTY = Buffer.from('{}');
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';

/** Maximum size in bytes of a part of an artifact; parts are kept in memory. */
const LONGEST_PART = 64 * 1024 * 1024;

/** A small document in a registry that is not an image (OCI image manifest with an `artifactType`). */
export interface Artifact {
  /** Its media type. */
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly parts: readonly ArtifactPart[];
  /** The manifest that it refers to. */
  readonly subject?: Descriptor | undefined;
}

/** One blob of an artifact. */
export interface ArtifactPart {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** An artifact in the list of referrers of a manifest. */
export interface Referrer extends Descriptor {
  readonly artifactType: string;
}

/** Options for writing an artifact. */
export interface ArtifactOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether its subject was only just pushed, so that it cannot have other referrers: saves a request for the
   * list.
   */
  readonly isFirst?: boolean;
}

const descriptorOf = ({ mediaType, bytes }: ArtifactPart): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

/** Uploads the empty blob to a repository, which all its artifacts refer to. */
export function writeEmpty(
  connection: RegistryConnection,
  repository: string,
  signal?: AbortSignal,
): Promise<void> {
  return writePart(connection, repository, { mediaType: EMPTY_TYPE, bytes: EMPTY }, signal);
}

function writePart(
  connection: RegistryConnection,
  repository: string,
  part: ArtifactPart,
  signal: AbortSignal | undefined,
): Promise<void> {
  const open = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield part.bytes;
  };
  const upload = { connection, repository, descriptor: descriptorOf(part), open };
  return uploadBlob(upload, signal === undefined ? {} : { signal });
}

/**
 * Writes an artifact, under its digest if the reference has no tag. Returns its descriptor. `writeEmpty` must
 * have been called for the repository before.
 */
export async function writeArtifact(
  connection: RegistryConnection,
  reference: Reference,
  { artifactType, annotations, parts, subject }: Artifact,
  { signal, isFirst = false }: ArtifactOptions = {},
): Promise<Descriptor> {
  const { repository, tag } = reference;
  await Promise.all(parts.map((part) => writePart(connection, repository, part, signal)));
  const empty = descriptorOf({ mediaType: EMPTY_TYPE, bytes: EMPTY });
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType,
    config: empty,
    // A manifest needs at least one layer.
    layers: parts.length === 0 ? [empty] : parts.map(descriptorOf),
    ...(subject === undefined ? {} : { subject }),
    annotations,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const written = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
  const knowsSubjects = await putManifest(
    connection,
    { ...reference, ...(tag === undefined ? { digest: written.digest } : {}) },
    bytes,
    OCI_MANIFEST,
    signal,
  );
  if (subject !== undefined && !knowsSubjects)
    await addToFallback(
      connection,
      reference,
      subject.digest,
      { ...written, artifactType },
      { signal, isFirst },
    );
  return written;
}

/**
 * Uploads a manifest under a tag or its digest. Returns whether the registry has listed it as a referrer of
 * its subject (the header `OCI-Subject` of the distribution specification).
 */
export async function putManifest(
  connection: RegistryConnection,
  reference: Reference,
  bytes: Uint8Array,
  mediaType: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const { repository, tag, digest } = reference;
  const response = await connection.send({
    method: 'PUT',
    to: `${repository}/manifests/${tag ?? digest ?? ''}`,
    what: `push the manifest of ${familiarName(reference)}`,
    scopes: [pushScope(repository)],
    accept: [200, 201, 202],
    headers: { 'content-type': mediaType },
    body: () => new Uint8Array(bytes),
    signal,
  });
  await response.body?.cancel();
  return response.headers.has('oci-subject');
}

/**
 * The artifact of a reference; undefined if it does not exist. Rejects if the reference is something else.
 */
export async function readArtifact(
  connection: RegistryConnection,
  reference: Reference,
  signal?: AbortSignal,
): Promise<Artifact | undefined> {
  const what = `pull the manifest of ${familiarName(reference)}`;
  const json = await getJson(connection, reference, { what, accept: OCI_MANIFEST }, signal);
  if (json === undefined) return undefined;
  const { artifactType, annotations, layers, subject } = json;
  if (typeof artifactType !== 'string' || !Array.isArray(layers))
    throw new RegistryError(`${familiarName(reference)} is not a document of luet-ts`);
  const parts = await Promise.all(
    layers.map(async (layer: unknown, at): Promise<ArtifactPart> => {
      const descriptor = parseDescriptor(layer, `${familiarName(reference)}: part ${at + 1}`);
      if (descriptor.size > LONGEST_PART)
        throw new RegistryError(
          `${familiarName(reference)}: part ${at + 1} has ${descriptor.size} bytes; the maximum is ${LONGEST_PART}`,
        );
      const { repository } = reference;
      const stream = download({ connection, repository, descriptor }, signal === undefined ? {} : { signal });
      return {
        mediaType: descriptor.mediaType,
        bytes: await collect(stream, LONGEST_PART, descriptor.digest),
      };
    }),
  );
  return {
    artifactType,
    annotations: textsOf(annotations),
    parts: parts.filter(({ mediaType }) => mediaType !== EMPTY_TYPE),
    ...(subject === undefined
      ? {}
      : { subject: parseDescriptor(subject, `${familiarName(reference)}: its subject`) }),
  };
}

/**
 * The artifacts of a type that refer to a manifest, from the referrers API or, if the registry does not
 * support it, from the fallback tag.
 */
export async function listReferrers(
  connection: RegistryConnection,
  reference: Reference,
  subject: Digest,
  artifactType: string,
  signal?: AbortSignal,
): Promise<readonly Referrer[]> {
  const { repository } = reference;
  const what = `list what belongs to ${connection.registry}/${repository}@${subject}`;
  const query = new URLSearchParams({ artifactType });
  const response = await connection.send({
    method: 'GET',
    to: `${repository}/referrers/${subject}?${query}`,
    what,
    scopes: [pullScope(repository)],
    accept: [200, 404],
    headers: { accept: OCI_INDEX },
    signal,
  });
  let index: Json | undefined;
  if (response.status === 200)
    index = parseJson(await collect(connection.body(response), LONGEST_MANIFEST, what), what);
  else {
    await response.body?.cancel();
    index = await fallback(connection, reference, subject, signal);
  }
  return referrersOf(index, what).filter((one) => one.artifactType === artifactType);
}

/**
 * The tag with the list of referrers of a manifest, for registries without that API (distribution
 * specification).
 */
export const fallbackTag = (digest: Digest): string => digest.replace(':', '-');

async function fallback(
  connection: RegistryConnection,
  { registry, repository }: Reference,
  subject: Digest,
  signal?: AbortSignal,
): Promise<Json | undefined> {
  const reference = { registry, repository, tag: fallbackTag(subject) };
  const what = `pull the list ${familiarName(reference)}`;
  return getJson(connection, reference, { what, accept: OCI_INDEX }, signal);
}

/**
 * Adds an artifact to the list under the fallback tag. If two machines do this at the same time, one entry
 * may be lost, as the specification says; the artifact itself still has its own tag.
 */
async function addToFallback(
  connection: RegistryConnection,
  reference: Reference,
  subject: Digest,
  added: Referrer,
  { signal, isFirst }: ArtifactOptions,
): Promise<void> {
  const before = isFirst ? undefined : await fallback(connection, reference, subject, signal);
  const manifests = Array.isArray(before?.manifests) ? (before.manifests as Json[]) : [];
  if (manifests.some(({ digest }) => digest === added.digest)) return;
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...manifests, added] };
  const { registry, repository } = reference;
  const tagged = { registry, repository, tag: fallbackTag(subject) };
  await putManifest(connection, tagged, Buffer.from(JSON.stringify(index)), OCI_INDEX, signal);
}

type Json = Readonly<Record<string, unknown>>;

function referrersOf(index: Json | undefined, what: string): Referrer[] {
  const { manifests } = index ?? {};
  if (!Array.isArray(manifests)) return [];
  return manifests.flatMap((one: unknown, at) => {
    const { artifactType } = (one ?? {}) as Json;
    if (typeof artifactType !== 'string') return [];
    return [{ ...parseDescriptor(one, `${what}: entry ${at + 1}`), artifactType }];
  });
}

/** A manifest as JSON, with its digest verified. Undefined if it does not exist. */
async function getJson(
  connection: RegistryConnection,
  reference: Reference,
  { what, accept }: { readonly what: string; readonly accept: string },
  signal?: AbortSignal,
): Promise<Json | undefined> {
  const { repository, tag, digest } = reference;
  const response = await connection.send({
    method: 'GET',
    to: `${repository}/manifests/${digest ?? tag ?? ''}`,
    what,
    scopes: [pullScope(repository)],
    accept: [200, 404],
    headers: { accept },
    signal,
  });
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  const bytes = await collect(connection.body(response), LONGEST_MANIFEST, what);
  const named = digest ?? response.headers.get('docker-content-digest');
  if (named?.startsWith('sha256:') && named !== digestOf(bytes))
    throw connection.error({ what }, `content from ${connection.registry} does not have the digest ${named}`);
  return parseJson(bytes, what);
}

function parseJson(bytes: Uint8Array, what: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw new ImageError(`cannot ${what}: the response is not JSON`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ImageError(`cannot ${what}: the response is not an object`);
  return value as Json;
}

const textsOf = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries((value ?? {}) as Json).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
