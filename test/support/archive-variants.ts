import { type RawEntry, rawTar } from './raw-tar.ts';

type Json = Record<string, unknown>;

/** An archive as `docker save` writes it, before it is written: its parts may be anything. */
export interface DraftArchive {
  /** The text of `manifest.json`; its entries where it is data. */
  manifest: Json[] | string | undefined;
  /** Configurations by the paths of their files. */
  readonly configurations: Map<string, Json>;
  entries: RawEntry[];
}

const file = (name: string, content: string): RawEntry => ({ name, flag: '0', content });
const firstOf = (draft: DraftArchive): Json =>
  Array.isArray(draft.manifest) ? (draft.manifest[0] ?? {}) : {};
const layersOf = (draft: DraftArchive): string[] => firstOf(draft).Layers as string[];
const configOf = (draft: DraftArchive): Json => draft.configurations.get(String(firstOf(draft).Config)) ?? {};
const rootfsOf = (draft: DraftArchive): { type?: unknown; diff_ids: unknown[] } =>
  configOf(draft).rootfs as { diff_ids: unknown[] };
const runtimeOf = (draft: DraftArchive): Json => configOf(draft).config as Json;

/** Moves the first layer's file, and leaves an entry in its place. */
function instead(draft: DraftArchive, to: string, entry: (at: string) => RawEntry): void {
  const at = layersOf(draft)[0] ?? '';
  draft.entries = draft.entries.flatMap((one) =>
    one.name === at ? [{ ...one, name: to }, entry(at)] : [one],
  );
}

/** What may be special about an archive, with what it does to a usual one. */
export const variants: Readonly<Record<string, (draft: DraftArchive) => void>> = {
  // How manifest.json says it.
  'RepoTags null': (draft) => {
    firstOf(draft).RepoTags = null;
  },
  'no RepoTags': (draft) => void delete firstOf(draft).RepoTags,
  'RepoTags empty': (draft) => {
    firstOf(draft).RepoTags = [];
  },
  'a name without a tag': (draft) => {
    firstOf(draft).RepoTags = ['luet-ts-test/untagged'];
  },
  'an impossible name': (draft) => {
    firstOf(draft).RepoTags = ['luet-ts-test/UPPER:1'];
  },
  'unknown keys': (draft) => Object.assign(firstOf(draft), { Parent: '', LayerSources: {}, x: [1] }),
  'keys in small letters': (draft) => {
    draft.manifest = JSON.stringify(draft.manifest)
      .replaceAll('"Layers"', '"layers"')
      .replaceAll('"Config"', '"config"');
  },
  'Layers null': (draft) => {
    firstOf(draft).Layers = null;
  },
  'no Config': (draft) => void delete firstOf(draft).Config,
  'an empty list': (draft) => {
    draft.manifest = '[]';
  },
  'null for a list': (draft) => {
    draft.manifest = 'null';
  },
  'an object for a list': (draft) => {
    draft.manifest = JSON.stringify(firstOf(draft));
  },
  'a byte order mark': (draft) => {
    draft.manifest = `\ufeff${JSON.stringify(draft.manifest)}`;
  },
  'no JSON': (draft) => {
    draft.manifest = '[{';
  },
  'more behind the list': (draft) => {
    draft.manifest = `${JSON.stringify(draft.manifest)} x`;
  },
  'no manifest.json': (draft) => {
    draft.manifest = undefined;
  },
  // Paths.
  'paths with dots in front': (draft) => {
    firstOf(draft).Layers = layersOf(draft).map((path) => `./${path}`);
  },
  'paths from the root': (draft) => {
    firstOf(draft).Layers = layersOf(draft).map((path) => `/${path}`);
  },
  'paths that lead upwards': (draft) => {
    firstOf(draft).Layers = layersOf(draft).map((path) => `none/../../${path}`);
  },
  'paths that lead up and down': (draft) => {
    firstOf(draft).Layers = layersOf(draft).map((path) => `none/../${path}`);
  },
  'entries with dots in front': (draft) => {
    draft.entries = draft.entries.map((one) => ({ ...one, name: `./${one.name}` }));
  },
  'entries from the root': (draft) => {
    draft.entries = draft.entries.map((one) => ({ ...one, name: `/${one.name}` }));
  },
  'entries through a link': (draft) => {
    const through = draft.entries.map((one) => ({ ...one, name: `way/${one.name}` }));
    draft.entries = [{ name: 'way', flag: '2', link: '.' }, ...through];
  },
  'a path in capitals': (draft) => {
    firstOf(draft).Layers = layersOf(draft).map((path) => path.toUpperCase());
  },
  // Layers.
  'a layer is not there': (draft) => {
    draft.entries = draft.entries.filter(({ name }) => name !== layersOf(draft)[0]);
  },
  'a layer is another': (draft) =>
    instead(draft, 'moved', (at) => file(at, rawTar([file('other', 'other')]).toString('latin1'))),
  'a layer is no archive': (draft) => instead(draft, 'moved', (at) => file(at, 'no archive'.repeat(100))),
  'a layer is cut': (draft) => {
    draft.entries = draft.entries.map((one) =>
      one.name === layersOf(draft)[0] ? { ...one, content: one.content?.slice(0, -700) ?? '' } : one,
    );
  },
  'a layer is a folder': (draft) => instead(draft, 'moved', (at) => ({ name: at, flag: '5', mode: 0o755 })),
  'a layer is a link': (draft) =>
    instead(draft, 'moved', (at) => ({ name: at, flag: '2', link: at.includes('/') ? '../moved' : 'moved' })),
  'a layer is a link from the root': (draft) =>
    instead(draft, 'moved', (at) => ({ name: at, flag: '2', link: '/moved' })),
  'a layer is a link out of the root': (draft) =>
    instead(draft, 'moved', (at) => ({ name: at, flag: '2', link: '../../../../moved' })),
  'a layer is a link to a link': (draft) => {
    instead(draft, 'moved', (at) => ({ name: at, flag: '2', link: '/middle' }));
    draft.entries.push({ name: 'middle', flag: '2', link: 'moved' });
  },
  'a layer is a link to nothing': (draft) =>
    instead(draft, 'moved', (at) => ({ name: at, flag: '2', link: '/nothing' })),
  'a layer is a link to itself': (draft) =>
    instead(draft, 'moved', (at) => ({ name: at, flag: '2', link: `/${at}` })),
  'a layer is a hard link': (draft) =>
    instead(draft, 'moved', (at) => ({ name: at, flag: '1', link: 'moved' })),
  'a path through a link': (draft) => {
    draft.entries.push({ name: 'through', flag: '2', link: '.' });
    firstOf(draft).Layers = layersOf(draft).map((path) => `through/${path}`);
  },
  'a layer twice': (draft) => {
    firstOf(draft).Layers = [...layersOf(draft), ...layersOf(draft).slice(0, 1)];
    rootfsOf(draft).diff_ids.push(rootfsOf(draft).diff_ids[0]);
    (configOf(draft).history as unknown[]).push({});
  },
  'a file twice, the second right': (draft) => {
    const at = layersOf(draft)[0] ?? '';
    draft.entries.unshift(file(at, 'old'));
  },
  'a file twice, the second wrong': (draft) => void draft.entries.push(file(layersOf(draft)[0] ?? '', 'new')),
  'a file, then a link': (draft) => {
    const at = layersOf(draft)[0] ?? '';
    const last = draft.entries.find(({ name }) => name === at);
    draft.entries.push(file('moved', last?.content ?? ''), { name: at, flag: '2', link: '/moved' });
    draft.entries = draft.entries.map((one) => (one === last ? { ...one, content: 'old' } : one));
  },
  'a link, then a file': (draft) =>
    void draft.entries.unshift({ name: layersOf(draft)[0] ?? '', flag: '2', link: '/nothing' }),
  // Configurations.
  'one digest too many': (draft) => void rootfsOf(draft).diff_ids.push(`sha256:${'0'.repeat(64)}`),
  'one digest too few': (draft) => void rootfsOf(draft).diff_ids.pop(),
  'a digest that is none': (draft) => {
    rootfsOf(draft).diff_ids[0] = 'sha256:abc';
  },
  'digests in capitals': (draft) => {
    rootfsOf(draft).diff_ids = rootfsOf(draft).diff_ids.map(
      (id) => `sha256:${String(id).slice(7).toUpperCase()}`,
    );
  },
  'no rootfs': (draft) => void delete configOf(draft).rootfs,
  'no type of rootfs': (draft) => void delete rootfsOf(draft).type,
  'no history': (draft) => void delete configOf(draft).history,
  'too much history': (draft) => void (configOf(draft).history as unknown[]).push({}, {}),
  'history of empty layers': (draft) =>
    void (configOf(draft).history as unknown[]).push({ empty_layer: true }),
  'no config': (draft) => void delete configOf(draft).config,
  'config null': (draft) => {
    configOf(draft).config = null;
  },
  'Env null': (draft) => {
    runtimeOf(draft).Env = null;
  },
  'Env a text': (draft) => {
    runtimeOf(draft).Env = 'A=b';
  },
  'Env with a number': (draft) => {
    runtimeOf(draft).Env = ['A=b', 3];
  },
  'Labels with a number': (draft) => {
    runtimeOf(draft).Labels = { a: 1 };
  },
  'Labels null': (draft) => {
    runtimeOf(draft).Labels = null;
  },
  'Cmd a text': (draft) => {
    runtimeOf(draft).Cmd = 'true';
  },
  'no os': (draft) => void delete configOf(draft).os,
  'no architecture': (draft) => void delete configOf(draft).architecture,
  'created is no time': (draft) => {
    configOf(draft).created = 'yesterday';
  },
  'no created': (draft) => void delete configOf(draft).created,
  'unknown keys of the configuration': (draft) => Object.assign(configOf(draft), { moby: {}, 'x.y': 1 }),
  'env in small letters': (draft) => {
    runtimeOf(draft).env = ['SMALL=1'];
    delete runtimeOf(draft).Env;
  },
};
