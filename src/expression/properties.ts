/**
 * The names of character classes in Go's regular expressions (`\\p{Letter}`), as in Go 1.25:
 * `unicode.Categories`, `unicode.Scripts` and `unicode.CategoryAliases`. The characters in each class come
 * from the library.
 */

const categories = `
  C Cc Cf Cn Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs
  LC
`;

/** Only names that consist of one word: Go 1.25 does not find others. */
const scripts = `
  Adlam Ahom Arabic Armenian Avestan Balinese Bamum Batak Bengali Bhaiksuki Bopomofo Brahmi Braille
  Buginese Buhid Carian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cyrillic Deseret
  Devanagari Dogra Duployan Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati
  Gurmukhi Han Hangul Hanunoo Hatran Hebrew Hiragana Inherited Javanese Kaithi Kannada Katakana Kawi
  Kharoshthi Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Lisu Lycian Lydian Mahajani Makasar Malayalam
  Mandaic Manichaean Marchen Medefaidrin Miao Modi Mongolian Mro Multani Myanmar Nabataean Nandinagari
  Newa Nko Nushu Ogham Oriya Osage Osmanya Palmyrene Phoenician Rejang Runic Samaritan Saurashtra Sharada
  Shavian Siddham Sinhala Sogdian Soyombo Sundanese Syriac Tagalog Tagbanwa Takri Tamil Tangsa Tangut
  Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Yezidi Yi
`;

/** Long names of categories. */
const aliases = `
  Cased_Letter=LC Close_Punctuation=Pe Combining_Mark=M Connector_Punctuation=Pc Control=Cc
  Currency_Symbol=Sc Dash_Punctuation=Pd Decimal_Number=Nd Enclosing_Mark=Me Final_Punctuation=Pf
  Format=Cf Initial_Punctuation=Pi Letter=L Letter_Number=Nl Line_Separator=Zl Lowercase_Letter=Ll Mark=M
  Math_Symbol=Sm Modifier_Letter=Lm Modifier_Symbol=Sk Nonspacing_Mark=Mn Number=N Open_Punctuation=Ps
  Other=C Other_Letter=Lo Other_Number=No Other_Punctuation=Po Other_Symbol=So Paragraph_Separator=Zp
  Private_Use=Co Punctuation=P Separator=Z Space_Separator=Zs Spacing_Mark=Mc Surrogate=Cs Symbol=S
  Titlecase_Letter=Lt Unassigned=Cn Uppercase_Letter=Lu cntrl=Cc digit=Nd punct=P
`;

/**
 * Normalizes a name as Go does for comparison: without spaces, underscores and dashes, and ignoring the case
 * of ASCII letters.
 */
const folded = (name: string): string =>
  name.replace(/[ _-]/g, '').replace(/[A-Z]/g, (letter) => letter.toLowerCase());

let known: Map<string, string> | undefined;

/** The library's name for a name in Go; undefined if Go does not have that name. */
function properName(name: string): string | undefined {
  if (known === undefined) {
    const words = (text: string): string[] => text.trim().split(/\s+/);
    known = new Map(
      ['Any', 'ASCII', 'Assigned', ...words(categories), ...words(scripts)].map((one) => [folded(one), one]),
    );
    for (const alias of words(aliases)) {
      const [from = '', to = ''] = alias.split('=');
      known.set(folded(from), to);
    }
  }
  return known.get(folded(name));
}

/** An expression with the library's names, or Go's error for an unknown name, and its offset. */
export type Named = { readonly text: string } | { readonly error: string; readonly offset: number };

/** Parts of an expression in which `[` and `\\p` have another meaning, or none. */
const parts = /\\Q[\s\S]*?(?:\\E|$)|\\[pP](?:\{([^}]*)\}|([^{]))|\\[\s\S]|\[:\^?[a-z]+:\]|\[\^?\]?|\]/gu;

/** Replaces names in an expression by those that the library knows, as Go 1.25 reads them. */
export function withKnownProperties(expression: string): Named {
  if (!/\\[pP]/.test(expression)) return { text: expression };
  let isInClass = false;
  let text = '';
  let last = 0;
  for (const part of expression.matchAll(parts)) {
    const [all, braced, single] = part;
    const name = braced ?? single;
    if (name === undefined || !/^\\[pP]/.test(all)) {
      if (all === ']') isInClass = false;
      else if (/^\[\^?\]?$/.test(all)) isInClass = true;
      continue;
    }
    const isCaret = braced !== undefined && name.startsWith('^');
    const proper = properName(isCaret ? name.slice(1) : name);
    if (proper === undefined)
      return { error: `invalid character class range: \`${all}\``, offset: part.index };
    const isNegated = all.startsWith('\\P') !== isCaret;
    text += expression.slice(last, part.index) + written(proper, isNegated, isInClass);
    last = part.index + all.length;
  }
  return { text: text + expression.slice(last) };
}

function written(name: string, isNegated: boolean, isInClass: boolean): string {
  if (name !== 'ASCII') return `\\${isNegated ? 'P' : 'p'}{${name}}`;
  // The library does not know this name.
  const characters = `[:${isNegated ? '^' : ''}ascii:]`;
  return isInClass ? characters : `[${characters}]`;
}
