/**
 * Which paths a package holds, out of what changed and the expressions of its spec. Knows no engine and no archive.
 */
export { createFilter, type Expressions, type Filter } from './filter.ts';
export { type Selection, select, topmost } from './select.ts';
