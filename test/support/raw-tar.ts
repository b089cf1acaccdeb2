/** An entry as an archive's writer with no scruples writes it: nothing is checked. Names are bytes, one a unit. */
export interface RawEntry {
  readonly name: string;
  /** The type flag. */
  readonly flag: string;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly content?: string;
  /** What the header says where that is not the content's length. */
  readonly size?: number;
  readonly major?: number;
  readonly minor?: number;
  /** Records of a PAX header before it. */
  readonly pax?: Readonly<Record<string, string>>;
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 511)]);

function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
  return `${length}${rest}`;
}

function encode(entry: RawEntry): Buffer {
  const content = Buffer.from(entry.content ?? '', 'latin1');
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, digits: number) =>
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  block.write(entry.name.slice(0, 100), 0, 'latin1');
  octal(entry.mode ?? 0o644, 100, 7);
  octal(entry.uid ?? 0, 108, 7);
  octal(entry.gid ?? 0, 116, 7);
  octal(entry.size ?? content.length, 124, 11);
  octal(entry.mtime ?? 1_000_000_000, 136, 11);
  block.write(`        ${entry.flag}`, 148, 'latin1');
  block.write((entry.link ?? '').slice(0, 100), 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(entry.major ?? 0, 329, 7);
  octal(entry.minor ?? 0, 337, 7);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block[154] = 0;
  const pax = { ...entry.pax };
  if (entry.name.length > 100) pax.path = entry.name;
  if ((entry.link ?? '').length > 100) pax.linkpath = entry.link ?? '';
  const records = Object.entries(pax).map(([key, value]) => record(key, value));
  const before =
    records.length === 0 ? [] : [encode({ name: 'PaxHeader', flag: 'x', content: records.join('') })];
  return Buffer.concat([...before, block, padded(content)]);
}

/** An archive of these entries. */
export function rawTar(entries: readonly RawEntry[], end = true): Buffer {
  return Buffer.concat([...entries.map(encode), Buffer.alloc(end ? 1024 : 0)]);
}
