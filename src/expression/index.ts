/**
 * Adapts regular expressions to those of Go 1.25 where the library (RE2 in JavaScript) differs. Example:
 * `\p{Letter}` becomes the name that the library knows, `\p{L}`.
 */
export { type Named, withKnownProperties } from './properties.ts';
