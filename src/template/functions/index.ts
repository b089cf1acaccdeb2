/** All functions that templates can call. */

import type { FunctionTable } from '../expressions.ts';
import { type GoFunction, withContext } from '../value.ts';
import { builtinFunctions } from './builtin.ts';
import { dateFunctions } from './dates.ts';
import { dictFunctions } from './dicts.ts';
import { encodingFunctions } from './encoding.ts';
import { listFunctions } from './lists.ts';
import { logicFunctions } from './logic.ts';
import { numberFunctions } from './numbers.ts';
import { pathFunctions } from './paths.ts';
import { regexFunctions } from './regex.ts';
import { semverFunctions } from './semver.ts';
import { textFunctions } from './text.ts';
import { urlFunctions } from './url.ts';

const RANDOM = 'its result is random, but a tree must always render the same';
const SECRET = 'it creates keys or secrets, which must not be in rendered files';

const refused: Readonly<Record<string, readonly string[]>> = {
  [RANDOM]: [
    'randAlphaNum',
    'randAlpha',
    'randAscii',
    'randNumeric',
    'randInt',
    'randBytes',
    'shuffle',
    'uuidv4',
  ],
  [SECRET]: [
    'bcrypt',
    'htpasswd',
    'genPrivateKey',
    'derivePassword',
    'buildCustomCert',
    'genCA',
    'genCAWithKey',
    'genSelfSignedCert',
    'genSelfSignedCertWithKey',
    'genSignedCert',
    'genSignedCertWithKey',
    'encryptAES',
    'decryptAES',
  ],
  'its result depends on the network, but a tree must render the same everywhere': ['getHostByName'],
};

const contextFunctions: Readonly<Record<string, GoFunction>> = {
  include: withContext(['string', 'any'], (context, name, data) => context.include(name, data)),
  env: withContext(['string'], (context, name) => context.env.get(name) ?? ''),
  expandenv: withContext(['string'], (context, text) => expand(text, context.env)),
};

/** Go's os.ExpandEnv: `$name` and `${name}`, where a name may also be one special character of the shell. */
function expand(text: string, env: ReadonlyMap<string, string>): string {
  return text.replace(
    /\$(?:\{([*#$@!?0-9-])\}|\{([^}]*)\}|([*#$@!?0-9-])|([A-Za-z0-9_]+)|(\{))/g,
    (whole: string, a?: string, b?: string, c?: string, d?: string, open?: string) => {
      if (open !== undefined) return '';
      const name = a ?? b ?? c ?? d ?? '';
      return name === '' ? '' : (env.get(name) ?? (whole === '$' ? '$' : ''));
    },
  );
}

// sprig's functions replace built-in functions of the same name.
const functions = new Map<string, GoFunction>(
  [
    builtinFunctions,
    textFunctions,
    numberFunctions,
    listFunctions,
    dictFunctions,
    logicFunctions,
    encodingFunctions,
    regexFunctions,
    pathFunctions,
    urlFunctions,
    semverFunctions,
    dateFunctions,
    contextFunctions,
  ].flatMap((group) => Object.entries(group)),
);

/** All functions, and those that are deliberately not supported. */
export const functionTable: FunctionTable = {
  functions,
  refused: new Map(
    Object.entries(refused).flatMap(([reason, names]) => names.map((name) => [name, reason] as const)),
  ),
};
