import { ArchiveError } from './entry.ts';
import { type BytePath, fromBytes } from './path.ts';

/** Values that extended headers give for the next entry; undefined if they do not give one. */
export interface Extended {
  path?: BytePath | undefined;
  link?: BytePath | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
  size?: number | undefined;
  mtime?: number | undefined;
  xattrs?: Map<string, Buffer>;
  sparse?: SparseRecords;
}

/** GNU tar's records for a sparse file, in the formats 0.0, 0.1 and 1.0. */
export interface SparseRecords {
  major?: number;
  minor?: number;
  /** The real name of the file. `path` has a name for programs that do not support sparse files. */
  name?: BytePath;
  /** Real size of the file in bytes. */
  size?: number;
  /** Offsets and sizes, alternating. */
  map: number[];
}

const attribute = 'SCHILY.xattr.';
const sparse = 'GNU.sparse.';

/** Parses the records of a PAX header into `into`. Throws an ArchiveError for a malformed record. */
export function decodePax(body: Buffer, into: Extended): void {
  for (let at = 0; at < body.length; ) {
    const { key, value, next } = record(body, at);
    apply(key, value, into);
    at = next;
  }
}

/** Parses one record, `LENGTH KEY=VALUE\n`. LENGTH counts the whole record. */
function record(body: Buffer, at: number): { key: string; value: Buffer; next: number } {
  const blank = body.indexOf(0x20, at);
  const digits = blank < 0 || blank - at > 10 ? '' : body.toString('latin1', at, blank);
  const next = at + Number(digits);
  const equals = body.indexOf(0x3d, blank);
  if (!/^[1-9]\d*$/.test(digits) || next > body.length || body[next - 1] !== 0x0a)
    throw new ArchiveError('wrong length of a record in an extended header');
  if (equals <= blank + 1 || equals >= next)
    throw new ArchiveError('missing key of a record in an extended header');
  return {
    key: body.toString('latin1', blank + 1, equals),
    value: body.subarray(equals + 1, next - 1),
    next,
  };
}

/** An empty value cancels an earlier record with the same key. */
function apply(key: string, value: Buffer, into: Extended): void {
  const isSet = value.length > 0;
  if (key === 'path') into.path = isSet ? name(value) : undefined;
  else if (key === 'linkpath') into.link = isSet ? name(value) : undefined;
  else if (key === 'uid' || key === 'gid' || key === 'size')
    into[key] = isSet ? integer(key, value) : undefined;
  else if (key === 'mtime') into.mtime = isSet ? seconds(value) : undefined;
  else if (key.startsWith(sparse)) applySparse(key.slice(sparse.length), value, into);
  else if (key.startsWith(attribute)) {
    into.xattrs ??= new Map();
    // Copy, because the body is a view of a chunk whose memory the source may reuse.
    into.xattrs.set(attributeName(key), Buffer.from(value));
  }
}

function applySparse(key: string, value: Buffer, into: Extended): void {
  into.sparse ??= { map: [] };
  const number = (text = value): number => integer('map of a sparse file', text);
  if (key === 'name') into.sparse.name = name(value);
  else if (key === 'size' || key === 'realsize') into.sparse.size = number();
  else if (key === 'major' || key === 'minor') into.sparse[key] = number();
  else if (key === 'offset' || key === 'numbytes') into.sparse.map.push(number());
  else if (key === 'map')
    into.sparse.map = value
      .toString('latin1')
      .split(',')
      .map((digits) => number(Buffer.from(digits)));
}

const attributeName = (key: string): string =>
  key.slice(attribute.length).replace(/%(25|3D)/g, (_, code) => (code === '25' ? '%' : '='));

/** A path in an extended header. Unlike a header field, it is not terminated by NUL. */
export function name(value: Buffer): BytePath {
  if (value.includes(0)) throw new ArchiveError('NUL byte in a name');
  return fromBytes(value);
}

function integer(key: string, value: Buffer): number {
  const digits = value.toString('latin1');
  const number = Number(digits);
  if (!/^\d+$/.test(digits) || !Number.isSafeInteger(number))
    throw new ArchiveError(`malformed ${key} in an extended header`);
  return number;
}

/** Parses a time, rounded down to a whole second. */
function seconds(value: Buffer): number {
  const digits = value.toString('latin1');
  const number = Math.floor(Number(digits));
  if (!/^-?\d+(\.\d*)?$/.test(digits) || !Number.isSafeInteger(number))
    throw new ArchiveError('malformed mtime in an extended header');
  return number === 0 ? 0 : number;
}
