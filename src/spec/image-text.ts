import { type ProblemDetails, report, type SpecReading } from './reader.ts';
import type { YamlNode } from './yaml/index.ts';

/**
 * Checks an image name for characters that no engine, registry or path allows. Other checks depend on where
 * the image comes from.
 */
export function checkImage(reading: SpecReading, node: YamlNode, value: string): void {
  if (!/[\s\x00-\x1f\x7f]/.test(value)) return;
  const message = `invalid image name ${JSON.stringify(value)}: it contains whitespace or a control character`;
  report(reading, node, { code: 'invalid-image', message, ...warnIfValueMissing(value) });
}

/**
 * Makes an error a warning if the text contains the placeholder for a missing template value: with the value,
 * the text may be valid, and Luet plans such packages too.
 */
export function warnIfValueMissing(
  text: string,
): Pick<ProblemDetails, 'severity' | 'hint' | 'advice'> | undefined {
  if (!text.includes('<no value>')) return undefined;
  return {
    severity: 'warning',
    hint: 'The template uses a value that is not set: set it',
    advice: 'more-values',
  };
}
