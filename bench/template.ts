/**
 * How fast templates render: a collection of 768 packages from three `build.yaml` files that share templates which include each other
 * recursively over nested values.
 *
 *     node bench/template.ts
 */

import { parseTemplates, render, type Value } from '../src/template/index.ts';

const PACKAGES = 768;

const SHARED = `
{{- define "tree" -}}
{{- $indent := .indent -}}
{{- range $name, $node := .nodes }}
{{ repeat (int $indent) "  " }}- name: {{ $name | quote }}
{{- if kindIs "map" $node }}
{{ repeat (int $indent) "  " }}  children:
{{- include "tree" (dict "nodes" $node "indent" (add $indent 2)) }}
{{- else }}
{{ repeat (int $indent) "  " }}  value: {{ $node }}
{{- end }}
{{- end }}
{{- end -}}
{{- define "requires" }}
{{- range . }}
- name: {{ index . "name" }}
  category: {{ index . "category" | default "layers" }}
  version: {{ index . "version" | default ">=0" | quote }}
{{- end }}
{{- end -}}
{{- define "steps" }}
{{- $p := . }}
{{- if .atoms }}
- emerge -q {{ .atoms | join " " }}
{{- else if .source }}
- wget {{ printf "%s/%s-%s.tar.gz" .source .name .version }}
- tar xf {{ .name }}-{{ .version }}.tar.gz && cd {{ .name }}-{{ .version | replace "+" "_" }}
- ./configure {{ range $flag, $on := .flags }}--{{ if $on }}with{{ else }}without{{ end }}-{{ $flag }} {{ end }}
- make install
{{- end }}
{{- range $i, $extra := .extra }}
- echo {{ $i }} {{ $extra | upper | squote }} {{ $p.name }}
{{- end }}
{{- end }}`;

const MAIN = [
  'image: alpine',
  'requires:\n{{ include "requires" .Values.requires | trim }}',
  'image: {{ .Values.base }}',
].map(
  (head) => `${head}
{{- $name := .Values.name }}
env:
- NAME={{ $name }}
- MAJOR={{ (splitList "." .Values.version) | first }}
{{- if has "debug" .Values.options }}
- DEBUG=1
{{- else if and .Values.options (not (has "plain" .Values.options)) }}
- OPTIONS={{ .Values.options | join "," }}
{{- end }}
steps:
{{- include "steps" .Values }}
layout:
{{- include "tree" (dict "nodes" .Values.layout "indent" 1) }}
labels:
{{ .Values.labels | toYaml | indent 2 }}
includes:
{{- range .Values.includes }}
- ^/{{ . | trimPrefix "/" | regexQuoteMeta }}
{{- end }}
`,
);

function nested(depth: number, seed: number): Map<string, Value> {
  const map = new Map<string, Value>();
  for (let i = 0; i < 3; i++)
    map.set(`k${i}`, depth > 0 && i < 2 ? nested(depth - 1, seed + i) : BigInt(seed * 7 + i));
  return map;
}

function valuesOf(n: number): Map<string, Value> {
  const entries: Record<string, Value> = {
    name: `package-${n}`,
    category: `cat-${n % 17}`,
    version: `1.${n}.${n % 7}+${n % 3}`,
    base: `base:${n % 5}`,
    source: 'https://example.org/src',
    requires: Array.from({ length: 4 }, (_, i) => new Map<string, Value>([['name', `dep-${(n + i) % 97}`]])),
    options: n % 3 === 0 ? ['debug'] : ['fast', 'small'],
    flags: new Map<string, Value>([
      ['ssl', true],
      ['x', n % 2 === 0],
      ['zlib', true],
    ]),
    extra: ['one', 'two', 'three'],
    layout: nested(4, n),
    labels: new Map<string, Value>([
      ['autobump', 'true'],
      ['n', BigInt(n)],
    ]),
    includes: ['/usr/bin', '/etc/a.conf', 'lib/x+y'],
  };
  return new Map<string, Value>([['Values', new Map(Object.entries(entries))]]);
}

/** Parses and renders the whole collection; gives the time that it took and the size of what came out. */
function tree(): { parse: number; render: number; characters: number } {
  const start = performance.now();
  const set = parseTemplates([{ name: 'templates/shared.yaml', text: SHARED }]);
  const mains = MAIN.map((text, i) => set.with({ name: `c${i}/build.yaml`, text }));
  const parsed = performance.now();
  let characters = 0;
  for (let n = 0; n < PACKAGES; n++) {
    const main = mains[n % mains.length];
    if (main !== undefined) characters += render(main, valuesOf(n)).text.length;
  }
  return { parse: parsed - start, render: performance.now() - parsed, characters };
}

const cold = tree();
const warm = Array.from({ length: 5 }, tree).sort((a, b) => a.render - b.render)[2] ?? cold;
for (const [name, run] of [
  ['cold', cold],
  ['warm', warm],
] as const) {
  const rate = Math.round(PACKAGES / (run.render / 1000));
  console.log(
    `${name}: parse ${run.parse.toFixed(1)} ms, ${PACKAGES} packages ${run.render.toFixed(0)} ms, ` +
      `${rate} packages/s, ${(run.characters / 1e6).toFixed(1)} MB`,
  );
}
