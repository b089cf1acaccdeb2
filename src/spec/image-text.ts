import { type Finding, type Reading, report } from './reader.ts';
import type { YamlNode } from './yaml/index.ts';

/** Reports an image's name that no engine, registry or path has; what else is wrong with it depends on where it leads. */
export function checkImage(reading: Reading, node: YamlNode, value: string): void {
  if (!/[\s\x00-\x1f\x7f]/.test(value)) return;
  const message = `the image reference ${JSON.stringify(value)} has a blank or control character in it`;
  report(reading, node, { code: 'invalid-image', message, ...ifMissing(value) });
}

/** Makes a finding a warning where a template had no value to put there: with one, the text may be right, and Luet plans such packages. */
export function ifMissing(text: string): Pick<Finding, 'severity' | 'hint' | 'advice'> | undefined {
  if (!text.includes('<no value>')) return undefined;
  return {
    severity: 'warning',
    hint: 'The template uses a value that is not given: give it one',
    advice: 'more-values',
  };
}
