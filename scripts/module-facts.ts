import {
  type CallExpression,
  type MemberExpression,
  type Node,
  parseSync,
  type Span,
  Visitor,
} from 'oxc-parser';

/** One import of a module, in whatever form. */
export interface ModuleImport {
  /** Undefined where it is no text that is written out. */
  readonly specifier: string | undefined;
  /** `loaded` with the module itself, `later` when it runs, or only a `type`. */
  readonly kind: 'loaded' | 'later' | 'type';
  /** From 1. */
  readonly line: number;
}

/** A use of something that is clocked, random or of the surroundings. */
export interface EdgeUse {
  /** What it is, for people. */
  readonly what: string;
  /** What is written. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** Something that a module says, or a name that it uses. */
export interface ModuleWord {
  /** A `text` that is written out, without what is put into it; a property of `process`, or of something called `env`. */
  readonly kind: 'text' | 'process' | 'env';
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** What matters of a module here. */
export interface ModuleFacts {
  readonly words: readonly ModuleWord[];
  readonly imports: readonly ModuleImport[];
  readonly uses: readonly EdgeUse[];
  /** Calls of Node's `mkdir` that make the folders above, too. */
  readonly recursive: readonly { readonly line: number }[];
  /** Objects that list methods of another object one by one, only to call them. */
  readonly wrappers: readonly Wrapper[];
}

/** An object that lists methods of another object. */
export interface Wrapper {
  /** The other object, as it is written. */
  readonly target: string;
  readonly methods: readonly string[];
  /** From 1. */
  readonly line: number;
}

/** Parts of `process` that tell of the surroundings, or change them. */
const surroundings = new Set(['env', 'cwd', 'argv', 'stdout', 'stderr', 'stdin', 'exit', 'on']);

/** Functions that give what is different each time, or on each machine. */
const functions: ReadonlyMap<string, string> = new Map([
  ['randomBytes', 'randomness'],
  ['randomUUID', 'randomness'],
  ['homedir', "the machine's names"],
  ['tmpdir', "the machine's names"],
  ['hostname', "the machine's names"],
]);

const CLOCK = 'the clock (for a deadline: performance.now)';

/** Reads a TypeScript module's imports, and its uses of the edge. Throws where it cannot be parsed. */
export function readModule(file: string, source: string): ModuleFacts {
  const { program, errors } = parseSync(file, source);
  const [error] = errors;
  if (error !== undefined) throw new SyntaxError(`${file}: ${error.message}`);
  const imports: ModuleImport[] = [];
  const uses: EdgeUse[] = [];
  const recursive: { readonly line: number }[] = [];
  const wrappers: Wrapper[] = [];
  const words: ModuleWord[] = [];
  const lineOf = (offset: number): number => source.slice(0, offset).split('\n').length;
  const add = (node: Span, specifier: unknown, kind: ModuleImport['kind']): void => {
    imports.push({
      specifier: typeof specifier === 'string' ? specifier : undefined,
      kind,
      line: lineOf(node.start),
    });
  };
  const say = (node: Span, kind: ModuleWord['kind'], text: string): void => {
    words.push({ kind, text, line: lineOf(node.start) });
  };
  const use = (node: Span, what: string): void => {
    uses.push({ what, text: source.slice(node.start, node.end), line: lineOf(node.start) });
  };
  new Visitor({
    ImportDeclaration(node) {
      const types = node.specifiers.filter(
        (one) => one.type === 'ImportSpecifier' && one.importKind === 'type',
      );
      const isType =
        node.importKind === 'type' || (types.length > 0 && types.length === node.specifiers.length);
      add(node, node.source.value, isType ? 'type' : 'loaded');
    },
    ExportNamedDeclaration(node) {
      if (node.source !== null) add(node, node.source.value, node.exportKind === 'type' ? 'type' : 'loaded');
    },
    ExportAllDeclaration(node) {
      add(node, node.source.value, node.exportKind === 'type' ? 'type' : 'loaded');
    },
    ImportExpression(node) {
      add(node, textOf(node.source), 'later');
    },
    TSImportType(node) {
      add(node, node.source.value, 'type');
    },
    MemberExpression(node) {
      const what = memberUse(node);
      if (what !== undefined) use(node, what);
      const { object } = node;
      const name = propertyOf(node) ?? '';
      if (isProcess(object)) say(node, 'process', name);
      else if (isName(object, 'env') || (object.type === 'MemberExpression' && propertyOf(object) === 'env'))
        say(node, 'env', name);
    },
    Literal(node) {
      if (typeof node.value === 'string') say(node, 'text', node.value);
    },
    TemplateLiteral(node) {
      say(node, 'text', node.quasis.map(({ value }) => value.cooked ?? '').join(' '));
    },
    VariableDeclarator(node) {
      if (node.init !== null && isName(node.init, 'process')) use(node, 'process');
    },
    NewExpression(node) {
      if (isName(node.callee, 'Date') && node.arguments.length === 0) use(node, CLOCK);
    },
    ObjectExpression(node) {
      const forwards = node.properties.flatMap((one) => {
        const call = one.type === 'Property' ? onlyCall(one.value) : undefined;
        if (one.type !== 'Property' || call?.callee.type !== 'MemberExpression') return [];
        const { callee } = call;
        if (callee.property.type === 'PrivateIdentifier') return [];
        const method = propertyOf(callee);
        if (one.key.type !== 'Identifier' || one.key.name !== method) return [];
        const { start, end } = callee.object;
        return [{ method, target: source.slice(start, end) }];
      });
      for (const [target, all] of Map.groupBy(forwards, (one) => one.target))
        if (all.length > 1)
          wrappers.push({ target, methods: all.map(({ method }) => method), line: lineOf(node.start) });
    },
    CallExpression(node) {
      const { callee } = node;
      const name =
        callee.type === 'Identifier'
          ? callee.name
          : callee.type === 'MemberExpression'
            ? propertyOf(callee)
            : undefined;
      const what = name === undefined ? undefined : functions.get(name);
      if (what !== undefined) use(node, what);
      if (isName(callee, 'Date')) use(node, CLOCK);
      if (/^mkdir(?:Sync)?$/.test(name ?? '') && node.arguments.some(isRecursive))
        recursive.push({ line: lineOf(node.start) });
      if (isName(callee, 'require')) add(node, textOf(node.arguments[0]), 'loaded');
    },
  }).visit(program);
  return { imports, uses, recursive, wrappers, words };
}

function memberUse(node: MemberExpression): string | undefined {
  const { object } = node;
  const property = propertyOf(node);
  if (isProcess(object) && (property === undefined || surroundings.has(property))) return 'process';
  if (isName(object, 'Date') && property === 'now') return CLOCK;
  if (isName(object, 'Math') && property === 'random') return 'randomness';
  return undefined;
}

/** `process`, by itself or as a part of the global object. */
function isProcess(node: Node): boolean {
  if (isName(node, 'process')) return true;
  return (
    node.type === 'MemberExpression' && isName(node.object, 'globalThis') && propertyOf(node) === 'process'
  );
}

const isName = (node: Node, name: string): boolean => node.type === 'Identifier' && node.name === name;

/** The name of a property; undefined where that is only known when it runs. */
function propertyOf(node: MemberExpression): string | undefined {
  if (!node.computed) return 'name' in node.property ? node.property.name : undefined;
  return textOf(node.property);
}

/** The call that is all that a function does; undefined where it does something else. */
function onlyCall(node: Node): CallExpression | undefined {
  if (node.type === 'AwaitExpression') return onlyCall(node.argument);
  if (node.type === 'CallExpression') return node;
  if (node.type !== 'ArrowFunctionExpression' && node.type !== 'FunctionExpression') return undefined;
  const { body } = node;
  if (body === null) return undefined;
  if (body.type !== 'BlockStatement') return onlyCall(body);
  const [only, ...more] = body.body;
  if (only?.type !== 'ReturnStatement' || more.length > 0 || only.argument === null) return undefined;
  return onlyCall(only.argument);
}

/** Whether a value is an object with `recursive: true`. */
function isRecursive(node: Node): boolean {
  if (node.type !== 'ObjectExpression') return false;
  return node.properties.some(
    (one) =>
      one.type === 'Property' &&
      one.key.type === 'Identifier' &&
      one.key.name === 'recursive' &&
      one.value.type === 'Literal' &&
      one.value.value === true,
  );
}

/** A text that is written out. */
function textOf(node: Node | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0)
    return node.quasis[0]?.value.cooked ?? undefined;
  return undefined;
}
