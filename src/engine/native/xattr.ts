import { type AttributePlace, setAttribute, toText } from '../../tar/index.ts';
import { EngineError } from '../errors.ts';

/** Gives a file or folder an extended attribute without which it would mean something else. Throws an `EngineError` where it cannot have it. */
export function giveAttribute(place: AttributePlace, name: string, value: Uint8Array): void {
  if (!setAttribute(place, name, value))
    throw new EngineError(`${toText(place.path)} cannot be given the attribute ${name} here`);
}
