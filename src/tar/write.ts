import { isUtf8 } from 'node:buffer';
import type { Content, Entry, EntrySource, EntryType } from './entry.ts';
import { type BytePath, shownPath, toBytes } from './path.ts';

const BLOCK = 512;
const padding = Buffer.alloc(BLOCK);
/** The two empty blocks at the end of an archive. */
const end = Buffer.alloc(2 * BLOCK);

const flags: Record<EntryType, string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/**
 * Writes a tar archive with these entries, in order: ustar blocks, with a PAX header before an entry only if
 * ustar cannot represent a value. Names and targets are written byte for byte. Equal entries give equal
 * bytes. Throws if an entry cannot be represented, or if a content's length differs from its entry's size.
 */
export async function* writeTar(source: EntrySource): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { entry, content } of source) {
    yield encodeHeader(entry);
    if (entry.type !== 'file' || entry.size === 0) continue;
    yield* exactly(entry, content);
    const rest = entry.size % BLOCK;
    if (rest !== 0) yield padding.subarray(rest);
  }
  yield end;
}

async function* exactly(
  entry: Entry,
  content: Content | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let missing = entry.size;
  if (content !== undefined) {
    for await (const chunk of typeof content === 'function' ? content() : content) {
      missing -= chunk.length;
      if (missing < 0) break;
      yield chunk;
    }
  }
  if (missing !== 0) {
    const wrong = missing < 0 ? 'more' : 'fewer';
    throw new Error(`${shownPath(entry.path)} has ${wrong} bytes than its size of ${entry.size}`);
  }
}

/** The blocks before an entry's content. */
export function encodeHeader(entry: Entry): Buffer {
  check(entry);
  const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  const split = splitName(name);
  const link = entry.link ?? '';
  const records: [key: string, value: Buffer][] = [];
  const number = (key: string, value: number, max: number): number => {
    if (value >= 0 && value <= max) return value;
    records.push([key, Buffer.from(String(value))]);
    return 0;
  };
  if (split === undefined) records.push(['path', toBytes(name)]);
  if (link.length > 100) records.push(['linkpath', toBytes(link)]);
  // PAX text is UTF-8 unless this record says otherwise.
  if (records.some(([, value]) => !isUtf8(value))) records.push(['hdrcharset', Buffer.from('BINARY')]);
  const fields: HeaderFields = {
    name: split?.name ?? name.slice(0, 100),
    prefix: split?.prefix ?? '',
    mode: entry.mode,
    uid: number('uid', entry.uid, 0o7777777),
    gid: number('gid', entry.gid, 0o7777777),
    size: number('size', entry.size, 0o77777777777),
    mtime: number('mtime', entry.mtime, 0o77777777777),
    flag: flags[entry.type],
    link: link.slice(0, 100),
    device: entry.device,
  };
  for (const [key, value] of entry.xattrs ?? []) {
    // Escaped as GNU tar does, because `=` ends the key.
    const safe = key.replaceAll('%', '%25').replaceAll('=', '%3D');
    records.push([`SCHILY.xattr.${safe}`, value]);
  }
  if (records.length === 0) return encodeBlock(fields);
  return Buffer.concat([...encodePax(records), encodeBlock(fields)]);
}

/** A PAX header and its records, sorted by key and padded to whole blocks. */
function encodePax(records: [key: string, value: Buffer][]): Buffer[] {
  records.sort(([a], [b]) => (a < b ? -1 : 1));
  const body = Buffer.concat(records.map(([key, value]) => encodeRecord(key, value)));
  const header = encodeBlock({
    name: 'PaxHeader',
    prefix: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: body.length,
    mtime: 0,
    flag: 'x',
    link: '',
    device: undefined,
  });
  const rest = body.length % BLOCK;
  return rest === 0 ? [header, body] : [header, body, padding.subarray(rest)];
}

/** `LENGTH KEY=VALUE\n`, where LENGTH includes its own digits. */
function encodeRecord(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.concat([toBytes(`${length} ${key}=`), value, toBytes('\n')]);
}

interface HeaderFields {
  readonly name: BytePath;
  readonly prefix: BytePath;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly flag: string;
  readonly link: BytePath;
  readonly device: Entry['device'];
}

function encodeBlock(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number): void => {
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  };
  block.write(fields.name, 0, 'latin1');
  octal(fields.mode, 100, 7);
  octal(fields.uid, 108, 7);
  octal(fields.gid, 116, 7);
  octal(fields.size, 124, 11);
  octal(fields.mtime, 136, 11);
  block.write('        ', 148, 'latin1');
  block.write(fields.flag, 156, 'latin1');
  block.write(fields.link, 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(fields.device?.major ?? 0, 329, 7);
  octal(fields.device?.minor ?? 0, 337, 7);
  block.write(fields.prefix, 345, 'latin1');
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += block[i] ?? 0;
  octal(sum, 148, 6);
  block[154] = 0;
  return block;
}

/**
 * Splits a name for ustar: at most 100 bytes, with at most 155 more before a `/`. Undefined if that is not
 * possible.
 */
function splitName(name: BytePath): { name: BytePath; prefix: BytePath } | undefined {
  if (name.length <= 100) return { name, prefix: '' };
  const slash = name.indexOf('/', name.length - 101);
  if (slash < 1 || slash > 155 || slash === name.length - 1) return undefined;
  return { name: name.slice(slash + 1), prefix: name.slice(0, slash) };
}

/** Throws if an entry is invalid. Every case is a bug in the caller. */
function check(entry: Entry): void {
  const fail = (why: string): never => {
    throw new Error(`cannot archive ${shownPath(entry.path)}: ${why}`);
  };
  const { path, type, link, device } = entry;
  if (!isPlainPath(path)) fail('the path must be relative, without . and .. parts');
  if ((type === 'symlink' || type === 'hardlink') !== (link !== undefined))
    fail('links need a target, and other entries must not have one');
  if (link !== undefined && (link === '' || !isBytes(link))) fail('invalid link target');
  if (type === 'hardlink' && !isPlainPath(link ?? '')) fail('the target must be a path in the archive');
  if ((type === 'character' || type === 'block') !== (device !== undefined))
    fail('devices need device numbers, and other entries must not have them');
  if (type !== 'file' && entry.size !== 0) fail('only files can have content');
  if (!isWithin(entry.mode, 0o7777)) fail('invalid mode');
  if (!isWithin(entry.size) || !isWithin(entry.uid) || !isWithin(entry.gid)) fail('number out of range');
  if (!Number.isSafeInteger(entry.mtime)) fail('the time must be in whole seconds');
  if (device && !(isWithin(device.major, 0o7777777) && isWithin(device.minor, 0o7777777)))
    fail('device number out of range');
  for (const key of entry.xattrs?.keys() ?? [])
    if (key === '' || !isBytes(key)) fail('an attribute needs a name');
}

const isWithin = (value: number, max = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isSafeInteger(value) && value >= 0 && value <= max;

/** Whether every UTF-16 unit is a byte that a path can contain. */
const isBytes = (path: BytePath): boolean => /^[\x01-\xff]*$/.test(path);

/** Whether a path is non-empty and relative, without empty, `.` and `..` parts. */
function isPlainPath(path: BytePath): boolean {
  return isBytes(path) && path !== '' && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(path);
}
