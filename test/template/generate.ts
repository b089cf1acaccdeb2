/** Random templates with values to render them with: grammar-based, mostly well-typed, deterministic for a seed. */

/** A source of random numbers that a seed fixes. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

const TEXTS = [
  '',
  'a',
  'b',
  'x-y_z w',
  'Hello World',
  'HTTPServer2Go',
  'ünï☃',
  '日本語テキスト',
  '😀 smile',
  'ß ǆ İ',
  '1',
  '7',
  '-3',
  '0x1F',
  '08',
  '1e3',
  '1_000',
  '2.50',
  '3.0',
  '1.2.3',
  'v1.2.3-rc.1+b5',
  'true',
  'no',
  'null',
  '~',
  '2020-01-02',
  '2020-02-30T10:11:12Z',
  'aGVsbG8=',
  'NBSWY3DP',
  '/usr/lib/../libfoo.so.1',
  'a/b/',
  'http://u:p@host.org:80/p/q?x=1&y=2#frag',
  'mailto:me@x.y',
  '{"a":1,"b":[true,null,"x"],"c":{"d":1.5}}',
  '[1,"a",{"b":2}]',
  'a: 1\nb:\n- x\n- {c: yes}\n',
  '- 1\n- [2, three]\n',
  '<a href="x">&\'</a>',
  'it\'s "q"',
  'l1\nl2\n\n l3\n',
  '  pad\t',
  '%d%s',
  '$HOME $\u007bX}y',
  'key: value # c',
  '- item',
  'a\u0000b\u007f\u0085\u00a0',
  'back\\slash`tick',
  'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen',
  'aaa',
  'abcabc',
  'first-second-third',
] as const;
const INTS = [
  '0',
  '1',
  '-1',
  '2',
  '3',
  '5',
  '7',
  '10',
  '42',
  '255',
  '-17',
  '1000000',
  '1234567890123',
  '9223372036854775807',
  '-9223372036854775808',
];
const FLOATS = [
  '0.5',
  '1.5',
  '2.5',
  '-1.5',
  '3.14159',
  '7.0',
  '1e21',
  '1e-7',
  '123456789.125',
  '100000.0',
  '1234567.0',
  '-0.0',
  '1.10',
  '0.1',
  '2e3',
];
const KEYS = ['a', 'b', 'c', 'name', 'list', 'map', 'n', 'f', 's', 'k-v', 'x.y', 'Z'];
const REGEXES = [
  'a',
  '[a-z]+',
  '(\\w)(\\d*)',
  '^\\s*',
  'l+|o',
  'x*',
  '(?P<first>\\w)(?P<rest>\\w*)',
  '(?i)HELLO',
  '[^[:alpha:]]',
  '\\bt',
  '.',
  '(',
  'a{2,}',
  '$',
  '(a)|(b)',
  '☃|ü',
  '[0-9]+\\.[0-9]+',
];
const LAYOUTS = [
  '2006-01-02',
  '2006-01-02T15:04:05Z07:00',
  'Mon Jan _2 15:04:05 2006',
  '3:04PM',
  '02/01/06',
  'January 2, 2006 at 15h',
  '002 __2',
  '15:04:05.000',
  '2006-01-02 15:04:05 -0700 MST',
];
const DATES = [
  '2020-03-04',
  '2020-03-04T05:06:07Z',
  '2021-12-31T23:59:59+02:00',
  'Mon Jan  2 15:04:05 2006',
  '3:04PM',
  '29/02/24',
  'x',
  '',
];
const CONSTRAINTS = [
  '^1.2.0',
  '~1.2',
  '>= 1, < 2',
  '1.x',
  '*',
  '!=1.2.3',
  '>1.2 || <0.5',
  '1.2 - 1.4',
  '^0.2',
  '=1.2.3',
  'bad',
  '<=1',
  '>= 1.0.0-0',
  '~0',
  '>1',
];
const VERSIONS = ['1.2.3', 'v1.2.3-rc.1+b5', '0.2.5', '1.0.0-alpha', '2', '1.4', 'x', '1.02.3', '3.0.0-0'];
const SHORT = ['0', '1', '2', '3', '4', '5', '8', '10', '-1', '-2'];

type Type = 'text' | 'int' | 'float' | 'bool' | 'map' | 'list' | 'any';

/** How functions are called: types of arguments, `*` for any number more of the last; then the result. */
const CALLS: readonly (readonly [name: string, args: string, result: Type])[] =
  `abbrev i t:text; abbrevboth i i t:text; trunc i t:text; trim t:text; upper t:text; lower t:text;
  title t:text; untitle t:text; substr i i t:text; repeat i t:text; trimAll t t:text;
  trimall t t:text; trimSuffix t t:text; trimPrefix t t:text; nospace t:text; initials t:text;
  swapcase t:text; snakecase t:text; camelcase t:text; kebabcase t:text; wrap i t:text;
  wrapWith i t t:text; contains t t:bool; hasPrefix t t:bool; hasSuffix t t:bool; quote a*:text;
  squote a*:text; cat a*:text; indent i t:text; nindent i t:text; replace t t t:text;
  plural t t i:text; toString a:text; toStrings l:list; join t l:text; join t a:text; split t t:map;
  splitList t t:list; splitn t i t:map; sha1sum t:text; sha256sum t:text; sha512sum t:text;
  adler32sum t:text; b64enc t:text; b64dec t:text; b32enc t:text; b32dec t:text; atoi t:int;
  int a:int; int64 a:any; float64 a:float; toDecimal a:any; seq i*:text; until i:list;
  untilStep i i i:list; add1 a:any; add a*:any; sub a a:any; div a a:any; mod a a:any; mul a a*:any;
  add1f a:float; addf a*:float; subf a a*:float; divf a a*:float; mulf a a*:float; max a a*:any;
  min a a*:any; biggest a a:any; maxf a a*:float; minf a a*:float; ceil a:float; floor a:float;
  round a i:float; list a*:list; tuple a*:list; append l a:list; prepend l a:list; push l a:list;
  first l:any; last l:any; rest l:list; initial l:list; reverse l:list; uniq l:list;
  without l a*:list; has a l:bool; slice l i:list; slice l i i:list; slice a:any; chunk i l:list;
  compact l:list; concat l l*:list; sortAlpha l:list; sortAlpha a:list; dict p:map; get m k:any;
  set m k a:map; unset m k:map; hasKey m k:bool; pluck k m m*:list; pick m k*:map; omit m k*:map;
  merge m m*:any; mergeOverwrite m m*:any; deepCopy a:any; dig k a m:any; dig k k a m:any;
  default a a:any; empty a:bool; coalesce a*:any; all a*:bool; any a*:bool; ternary a a b:any;
  typeOf a:text; typeIs t a:bool; kindOf a:text; kindIs t a:bool; deepEqual a a:bool; toJson a:text;
  toPrettyJson a:text; toRawJson a:text; mustToJson a:text; fromJson j:map; fromJsonArray j:list;
  mustFromJson j:any; toYaml a:text; toYaml m:text; fromYaml j:map; fromYamlArray j:list;
  toToml m:text; regexMatch r t:bool; mustRegexMatch r t:bool; regexFind r t:text;
  regexFindAll r t i:list; regexReplaceAll r t t:text; regexReplaceAllLiteral r t t:text;
  regexSplit r t i:list; regexQuoteMeta t:text; base t:text; dir t:text; clean t:text; ext t:text;
  isAbs t:bool; osBase t:text; urlParse u:map; urlJoin m:text; semver v:any; semverCompare c v:bool;
  date y i:text; htmlDate i:text; toDate y d:any; mustToDate y d:any; unixEpoch D:text;
  duration a:text; durationRound t:text; dateInZone y i t:text; date y D:text; dateModify t D:any;
  html a*:text; js a*:text; urlquery a*:text; print a*:text; println a*:text; len l:int; len t:int;
  len m:int; index l i:any; index m k:any; index t i:any; index a a:any; not a:bool; and a a*:any;
  or a a*:any; eq a a:bool; eq a a*:bool; ne a a:bool; lt a a:bool; le a a:bool; gt a a:bool;
  ge a a:bool; env t:text; hello:text; fail t:text; call a:any; mustFirst l:any;
  mustSlice l i i:list; expandenv t:text`
    .split(/;\s*/)
    .map((entry) => /^(\w+) ?([^:]*):(\w+)$/.exec(entry))
    .filter((match) => match !== null)
    .map(([, name = '', args = '', result = 'any']) => [name, args, result as Type] as const);

/** A template and the JSON of its values. */
export interface Generated {
  readonly template: string;
  readonly values: string;
}

class Generator {
  readonly random: Random;
  #variables: string[] = [];
  #assignable = 0;
  #ranges = 0;
  #defines: string[] = [];
  /** The template that is being made may call only those behind it, so that calls end. */
  #level = 0;

  constructor(random: Random) {
    this.random = random;
  }

  values(depth = 0): string {
    const entries = KEYS.map((key) => `${JSON.stringify(key)}:${this.named(key, depth)}`).filter(() =>
      this.random.chance(0.85),
    );
    return `{${entries.join(',')}}`;
  }

  /** The value of a key: mostly what its name promises. */
  named(key: string, depth: number): string {
    if (key === 'list')
      return `[${Array.from({ length: this.random.below(5) }, () => this.value(depth + 1)).join(',')}]`;
    if (key === 'map') return depth > 2 ? '{}' : this.values(depth + 2);
    if (key === 'n') return this.random.pick(INTS);
    if (key === 's' || key === 'name') return JSON.stringify(this.random.pick(TEXTS));
    return this.value(depth);
  }

  value(depth: number): string {
    const r = this.random;
    switch (r.below(depth > 2 ? 6 : 9)) {
      case 0:
      case 1:
        return JSON.stringify(r.pick(TEXTS));
      case 2:
        return r.pick(INTS);
      case 3:
        return r.pick(FLOATS);
      case 4:
        return r.pick(['true', 'false']);
      case 5:
        return r.chance(0.3) ? 'null' : JSON.stringify(r.pick(TEXTS));
      case 6:
        return `[${Array.from({ length: r.below(5) }, () => this.value(depth + 1)).join(',')}]`;
      case 7:
        return `[${Array.from({ length: r.below(5) }, () => (r.chance(0.5) ? r.pick(INTS) : JSON.stringify(r.pick(TEXTS)))).join(',')}]`;
      default:
        return `{${[...new Set(Array.from({ length: r.below(5) }, () => r.pick(KEYS)))]
          .map((key) => `${JSON.stringify(key)}:${this.value(depth + 1)}`)
          .join(',')}}`;
    }
  }

  literal(text: string): string {
    if (this.random.chance(0.2) && !/[`\r]/.test(text)) return `\`${text}\``;
    return `"${text.replace(/["\\\x00-\x1f\x7f]/g, (c) => {
      if (c === '"' || c === '\\') return `\\${c}`;
      return c === '\n' ? '\\n' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
    })}"`;
  }

  field(): string {
    const r = this.random;
    const name = (): string => r.pick(KEYS.filter((k) => /^\w+$/.test(k)));
    const tail = r.chance(0.2) ? `.${name()}` : '';
    const choices = [
      `.Values.${name()}${tail}`,
      `.Values.${name()}${tail}`,
      `$.Values.${name()}${tail}`,
      '.',
      `.${name()}`,
    ];
    const found = r.pick(choices);
    if (this.#variables.length > 0 && r.chance(0.35))
      return r.pick(this.#variables) + (r.chance(0.15) ? `.${name()}` : '');
    return found;
  }

  number(): string {
    return this.random.pick([
      ...INTS.slice(0, 12),
      ...FLOATS,
      "'x'",
      '0x1F',
      '0b101',
      '0o17',
      '1_000',
      "'\\n'",
      '1e3',
      '0x1p4',
      '1i',
    ]);
  }

  atom(type: Type): string {
    const r = this.random;
    if (r.chance(type === 'any' ? 0.4 : 0.1)) return this.field();
    switch (type) {
      case 'text':
        return this.literal(r.pick(TEXTS));
      case 'int':
        return r.chance(0.7) ? r.pick(SHORT) : r.pick(INTS);
      case 'float':
        return r.pick(FLOATS);
      case 'bool':
        return r.pick(['true', 'false']);
      case 'map':
        return r.pick([
          '.Values',
          '.Values.map',
          '(dict)',
          `(dict ${this.literal(r.pick(KEYS))} ${this.atom('any')})`,
        ]);
      case 'list':
        return r.pick([
          '.Values.list',
          '(list)',
          `(list ${this.atom('any')} ${this.atom('any')})`,
          '(until 3)',
          '(splitList "," "a,b,a")',
        ]);
      default:
        if (r.chance(0.05)) return 'nil';
        return r.chance(0.4) ? this.number() : this.literal(r.pick(TEXTS));
    }
  }

  /** An argument: an atom or a call in parentheses. */
  argument(code: string, depth: number): string {
    const r = this.random;
    switch (code) {
      case 'r':
        return r.chance(0.9) ? this.literal(r.pick(REGEXES)) : this.expression('text', depth);
      case 'y':
        return this.literal(r.pick(LAYOUTS));
      case 'd':
        return this.literal(r.pick(DATES));
      case 'D':
        return `(toDate ${this.literal(r.pick(LAYOUTS))} ${this.literal(r.pick(DATES))})`;
      case 'c':
        return this.literal(r.pick(CONSTRAINTS));
      case 'v':
        return this.literal(r.pick(VERSIONS));
      case 'k':
        return this.literal(r.pick(KEYS));
      case 'j':
        return r.chance(0.6)
          ? this.literal(r.pick(TEXTS))
          : `(${r.pick(['toJson', 'toYaml'])} ${this.atom('any')})`;
      case 'u':
        return this.literal(r.pick(TEXTS.filter((t) => /[/:.]/.test(t))));
      case 'i':
        return r.chance(0.85) ? r.pick(SHORT) : this.expression('int', depth);
      case 'p':
        return Array.from(
          { length: r.below(3) },
          () => `${this.literal(r.pick(KEYS))} ${this.expression('any', depth)}`,
        ).join(' ');
    }
    const type = ({ t: 'text', l: 'list', m: 'map', b: 'bool', a: 'any' } as const)[code] ?? 'any';
    return this.expression(r.chance(0.02) ? 'any' : type, depth);
  }

  /** Something that stands as an operand. */
  expression(type: Type, depth: number): string {
    if (depth <= 0 || this.random.chance(0.45)) return this.atom(type);
    return `(${this.call(type, depth - 1)})`;
  }

  format(): string {
    const r = this.random;
    const verb = (): string => {
      const flags = ['', '', '', '+', '-', '#', '0', ' ', '+#', '-0', '# '][r.below(11)] ?? '';
      const width = r.chance(0.4) ? r.pick(['1', '5', '12', '*', '[1]*']) : '';
      const precision = r.chance(0.3) ? r.pick(['.', '.0', '.2', '.5', '.*', '.[2]*']) : '';
      const index = r.chance(0.05) ? r.pick(['[1]', '[2]', '[9]', '[x]', '[']) : '';
      return `%${flags}${width}${precision}${index}${r.pick([...'vvvvsssdddqqxXtTbcoOUeEfFgGpwz%'])}`;
    };
    return Array.from({ length: 1 + r.below(3) }, () => r.pick(['', 'a', ' ', 'ü']) + verb()).join('');
  }

  call(type: Type, depth: number): string {
    const r = this.random;
    if (this.#level < this.#defines.length && r.chance(0.05)) {
      return `include ${this.literal(r.pick(this.#defines.slice(this.#level)))} ${this.expression('any', depth)}`;
    }
    if (type === 'text' && r.chance(0.1)) {
      const args = Array.from({ length: r.below(4) }, () => this.expression('any', depth)).join(' ');
      return `printf ${this.literal(this.format())} ${args}`;
    }
    if (type === 'list' && r.chance(0.05)) return `keys ${this.expression('map', depth)} | sortAlpha`;
    const fitting =
      type === 'any' || r.chance(0.1)
        ? CALLS
        : CALLS.filter(([, , result]) => result === type || result === 'any');
    const [name, args] = r.pick(fitting.length > 0 ? fitting : CALLS);
    const codes = args.split(' ').filter((code) => code !== '');
    const words = codes.flatMap((code) => {
      if (code === '') return [];
      if (!code.endsWith('*')) return [this.argument(code, depth)];
      return Array.from({ length: r.below(4) }, () => this.argument(code.slice(0, -1), depth));
    });
    if (r.chance(0.02)) words.push(this.expression('any', depth));
    const piped = words.length > 0 && r.chance(0.25) && !/^(?:nil)$/.test(words.at(-1) ?? '');
    if (!piped) return [name, ...words].join(' ');
    const last = (words.pop() ?? '').replace(/^\((.*)\)$/s, (whole, inner: string) =>
      /^[^()]*$/.test(inner) ? inner : whole,
    );
    return `${last} | ${[name, ...words].join(' ')}`;
  }

  pipeline(type: Type): string {
    const depth = this.random.below(3);
    return this.random.chance(0.3) ? this.atom(type) : this.call(type, depth);
  }

  action(inside: string): string {
    const open = this.random.chance(0.15) ? '{{- ' : this.random.chance(0.5) ? '{{ ' : '{{';
    const close = this.random.chance(0.15) ? ' -}}' : this.random.chance(0.5) ? ' }}' : '}}';
    return open + inside + close;
  }

  scoped(make: () => string): string {
    const count = this.#variables.length;
    const result = make();
    this.#variables.length = count;
    return result;
  }

  node(depth: number): string {
    const r = this.random;
    const kind = r.below(depth > 0 ? 20 : 10);
    if (kind < 2) return r.pick(['text', ' ', '\n', '  \n\t', 'a b\n', '}} ', '☃', '{', '- x\n']);
    if (kind < 8)
      return this.action(this.pipeline(r.pick(['any', 'any', 'text', 'list', 'map', 'int', 'bool'])));
    if (kind === 8)
      return this.action(r.chance(0.5) ? '/* comment */' : this.declaration())
        .replace(/\{\{ \/\*|\{\{\/\*/, '{{/*')
        .replace(/\*\/ ?\}\}/, '*/}}');
    if (kind === 9) {
      if (this.#ranges > 0 && r.chance(0.4)) return this.action(r.pick(['break', 'continue']));
      if (this.#assignable > 0 && this.#variables.length > 0)
        return this.action(`${r.pick(this.#variables)} = ${this.pipeline('any')}`);
      return this.action(this.pipeline('any'));
    }
    const body = (): string => this.scoped(() => this.nodes(depth - 1));
    if (kind < 13) {
      return this.scoped(() => {
        let text = this.action(`if ${this.head('bool')}`) + body();
        if (r.chance(0.25)) text += this.action(`else if ${this.pipeline('any')}`) + body();
        if (r.chance(0.4)) text += this.action('else') + body();
        return text + this.action('end');
      });
    }
    if (kind < 15) {
      return this.scoped(() => {
        let text = this.action(`with ${this.head('any')}`) + body();
        if (r.chance(0.2)) text += this.action(`else with ${this.pipeline('any')}`) + body();
        if (r.chance(0.3)) text += this.action('else') + body();
        return text + this.action('end');
      });
    }
    if (kind < 18) return this.range(depth);
    if (this.#level < this.#defines.length && r.chance(0.7)) {
      const name = this.literal(r.pick(this.#defines.slice(this.#level)));
      return this.action(`template ${name}${r.chance(0.8) ? ` ${this.pipeline('any')}` : ''}`);
    }
    return this.action(this.pipeline('any'));
  }

  head(type: Type): string {
    return this.random.chance(0.15) ? this.declaration() : this.pipeline(type);
  }

  declaration(): string {
    const name = `$v${this.random.below(5)}`;
    const text = `${name} := ${this.pipeline('any')}`;
    this.#variables.push(name);
    this.#assignable++;
    return text;
  }

  range(depth: number): string {
    const r = this.random;
    return this.scoped(() => {
      const over = r.chance(0.1)
        ? r.pick(['3', '0', '-1', '"x"', '2.5'])
        : this.finite(r.pick(['list', 'list', 'map']));
      let head = `range ${over}`;
      if (r.chance(0.5)) {
        const names = r.chance(0.5) ? ['$i', '$e'] : ['$e'];
        head = `range ${names.join(', ')} := ${over}`;
        this.#variables.push(...names);
      }
      this.#ranges++;
      let text = this.action(head) + this.scoped(() => this.nodes(depth - 1));
      this.#ranges--;
      if (r.chance(0.3)) text += this.action('else') + this.scoped(() => this.nodes(depth - 1));
      return text + this.action('end');
    });
  }

  /** Something to range over that is no number, which could be huge. */
  finite(type: 'list' | 'map'): string {
    if (this.random.chance(0.4)) return `$.Values.${type}`;
    const fitting = CALLS.filter(([, , result]) => result === type);
    const [name, args] = this.random.pick(fitting);
    const words = args
      .split(' ')
      .flatMap((code) => (code === '' ? [] : [this.argument(code.replace('*', ''), 1)]));
    return [name, ...words].join(' ');
  }

  nodes(depth: number): string {
    return Array.from({ length: 1 + this.random.below(2) }, () => this.node(depth)).join('');
  }

  /** A template with something taken out, put in, or moved: mostly one that is wrong. */
  mutated(template: string): string {
    const r = this.random;
    const all = Array.from(template);
    const at = r.below(all.length + 1);
    switch (r.below(4)) {
      case 0:
        all.splice(at, 1 + r.below(3));
        break;
      case 1:
        all.splice(
          at,
          0,
          r.pick([
            ...' -{}().|$"`\'\\,:=0xeéi\n',
            '{{',
            '}}',
            '{{end}}',
            '{{else}}',
            'nil',
            ' 1 ',
            '/*',
            ':=',
          ]),
        );
        break;
      case 2:
        all.splice(at, 0, ...all.slice(r.below(all.length + 1), r.below(all.length + 1)));
        break;
      default:
        all.length = at;
    }
    return all.join('');
  }

  template(): string {
    const r = this.random;
    const count = r.chance(0.3) ? 1 + r.below(3) : 0;
    this.#defines = Array.from({ length: count }, (_, i) => `t${i}`);
    const defines = this.#defines.map((name, i) => {
      this.#level = i + 1;
      this.#variables = [];
      const text = this.action(`define ${this.literal(name)}`) + this.nodes(2) + this.action('end');
      return text;
    });
    this.#level = 0;
    this.#variables = [];
    return defines.join('') + this.nodes(r.below(4));
  }
}

/** The template and values of a seed. */
export function generate(seed: number): Generated {
  const generator = new Generator(new Random(seed));
  const values = generator.values();
  const template = generator.template();
  return { template: generator.random.chance(0.12) ? generator.mutated(template) : template, values };
}
