import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How deep the closures of a generated tree go. */
const DEPTH = 16;

/** Package trees of real distributions have a few base images, each with its own packages on it. */
const SEEDS = 4;

/** Packages of one collection. */
const COLLECTION = 24;

const SHARED = `{{- define "environment" -}}
env:
- PREFIX=/usr
{{- if .arch }}
- ARCH={{ .arch }}
{{- end }}
{{- range $name, $value := .variables }}
- {{ $name | upper }}={{ $value | quote }}
{{- end }}
{{- end -}}
{{- define "fetch" -}}
- wget {{ printf "%s/%s-%s.tar.gz" .source .name .version }}
- tar xf {{ .name }}-{{ .version | replace "+" "_" }}.tar.gz
{{- end -}}
{{- define "install" }}
{{- $p := . }}
- cd {{ .name }} && ./configure --prefix=/usr {{ range .options }}--with-{{ . }} {{ end }}
{{- range $i, $make := .makes }}
- cd {{ $p.name }} && make {{ $make }} # {{ $i }}
{{- end }}
{{- end -}}
`;

const BUILD = `{{- $major := index (splitList "." .Values.version) 0 -}}
{{ template "environment" .Values }}
prelude:
{{ template "fetch" .Values }}
steps:
{{- template "install" .Values }}
{{- if has "static" .Values.options }}
- rm -rf /usr/lib/*.so
{{- else if eq $major "2" }}
- ldconfig
{{- end }}
excludes:
- ^/luetbuild
requires:
{{- range .Values.needs }}
- {category: {{ .category | default "apps" }}, name: {{ .name }}, version: {{ .version | default ">=0" | quote }}}
{{- end }}
`;

interface Made {
  readonly name: string;
  readonly category: string;
  readonly version: string;
  readonly needs: readonly Made[];
}

/** Numbers that look random and are the same every time. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

const form = ({ name, category, version }: Made, exact: boolean): string =>
  `{name: ${name}, category: ${category}, version: "${exact ? `>=${version}` : '>=0'}"}`;

function definition(made: Made, indent: string, pick: (below: number) => number): string {
  const rows = [
    `name: ${made.name}`,
    `category: ${made.category}`,
    `version: "${made.version}"`,
    'description: A generated package with a description of some length',
    'license: MIT',
    'uri: ["https://example.org/project"]',
    'source: https://example.org/releases',
    'arch: amd64',
    `options: [${['ssl', 'zlib', ...(pick(4) === 0 ? ['static'] : [])].join(', ')}]`,
    'makes: [all, check, install]',
    `variables: {jobs: ${pick(16)}, level: "${pick(4)}"}`,
    `labels: {"autobump.revdeps": "true", "package.version": "${made.version}"}`,
  ];
  if (made.needs.length > 0) {
    rows.push('requires:', ...made.needs.map((need) => `- ${form(need, pick(8) === 0)}`));
    rows.push('needs:', ...made.needs.map((need) => `- ${form(need, pick(8) === 0)}`));
  }
  return rows.map((row, at) => `${at === 0 ? indent.replace(/ {2}$/, '- ') : indent}${row}\n`).join('');
}

/** Lays out the packages: each needs some of the level below it, and sometimes a second version is there, too. */
function packages(count: number, pick: (below: number) => number): Made[][] {
  const levels: Made[][] = [];
  const perLevel = Math.ceil((count - SEEDS) / (DEPTH - 1));
  levels.push(
    Array.from({ length: SEEDS }, (_, i) => ({
      name: `seed${i}`,
      category: 'seed',
      version: '1.0',
      needs: [],
    })),
  );
  let left = count - SEEDS;
  for (let depth = 1; left > 0; depth++) {
    const below = levels[depth - 1] ?? [];
    const level: Made[] = [];
    for (let i = 0; i < Math.min(perLevel, left); i++) {
      // Needs stay on one base image.
      const mine = below.filter((_, at) => at % SEEDS === i % SEEDS);
      const chosen = new Set(Array.from({ length: 1 + pick(3) }, () => mine[pick(mine.length)]));
      // A version besides an existing package, of which solving then takes the newer one.
      const twin = i >= SEEDS && pick(12) === 0 ? level[i - SEEDS] : undefined;
      level.push({
        name: twin?.name ?? `p${depth}x${i}`,
        category: twin?.category ?? ['apps', 'libs', 'system'][i % 3] ?? 'apps',
        version: twin === undefined ? `${1 + pick(2)}.${pick(20)}+${pick(9)}` : `3.${i}`,
        needs: [...chosen].filter((one) => one !== undefined),
      });
    }
    left -= level.length;
    levels.push(level);
  }
  return levels;
}

const chunks = (all: readonly Made[]): Made[][] =>
  Array.from({ length: Math.ceil(all.length / COLLECTION) }, (_, at) =>
    all.slice(at * COLLECTION, (at + 1) * COLLECTION),
  );

/** How a generated tree lies on disk. */
export interface Layout {
  /** How many of a hundred packages are in collections; the others have a folder each. */
  readonly inCollections: number;
  /** Whether build specs are templates that use shared ones; without, they are a few plain lines. */
  readonly templates: boolean;
}

const plainDefinition = ({ name, category, version, needs }: Made, indent: string): string =>
  [
    `name: ${name}`,
    `category: ${category}`,
    `version: "${version}"`,
    ...(needs.length > 0 ? ['requires:', ...needs.map((need) => `- ${form(need, false)}`)] : []),
  ]
    .map((row, at) => `${at === 0 ? indent.replace(/ {2}$/, '- ') : indent}${row}\n`)
    .join('');

const plainBuild = (needs: readonly Made[]): string =>
  ['requires:', ...needs.map((need) => `- ${form(need, false)}`), 'steps:', '- make install', ''].join('\n');

/** Writes a tree into an empty folder: `count` packages, closures up to 16 deep. */
export function writeTree(root: string, count: number, { inCollections, templates }: Layout): void {
  const pick = sequence(count);
  const [seeds = [], ...levels] = packages(count, pick);
  const write = (folder: string, files: Readonly<Record<string, string>>): void => {
    mkdirSync(join(root, folder), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, folder, name), text);
  };
  const define = (one: Made, indent: string): string =>
    templates ? definition(one, indent, pick) : plainDefinition(one, indent);
  if (templates) write('templates', { 'shared.yaml': SHARED });
  for (const seed of seeds) {
    write(`seed/${seed.name}`, {
      'definition.yaml': define(seed, ''),
      'build.yaml': `image: base:${seed.name}\n`,
    });
  }
  for (const [depth, level] of levels.entries()) {
    const single = Math.ceil((level.length * (100 - inCollections)) / 100);
    for (const one of level.slice(0, single)) {
      write(`${one.category}/${one.name}-${one.version}`, {
        'definition.yaml': define(one, ''),
        'build.yaml': templates ? BUILD : plainBuild(one.needs),
      });
    }
    const rest = level.slice(single);
    // A collection stays on one base image, too.
    const grouped = Array.from({ length: SEEDS }, (_, seed) =>
      rest.filter((_, at) => (single + at) % SEEDS === seed),
    );
    for (const [at, some] of grouped.flatMap(chunks).entries()) {
      write(`collections/${depth}-${at}`, {
        'collection.yaml': `packages:\n${some.map((one) => define(one, '  ')).join('')}`,
        // Without templates, the packages of a collection are built in one way.
        'build.yaml': templates ? BUILD : plainBuild(some[0]?.needs ?? []),
      });
    }
  }
}
