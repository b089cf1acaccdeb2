/** Regular expressions as Go 1.25 reads them, where the library for them (RE2 in JavaScript) reads something else. */
export { type Named, withKnownProperties } from './properties.ts';
