import { type AttributeTarget, setAttribute, toText } from '../../../tar/index.ts';
import { EngineError } from '../../errors.ts';

/**
 * Sets an extended attribute that a file or folder must have. Throws an `EngineError` where that is not
 * possible.
 */
export function giveAttribute(place: AttributeTarget, name: string, value: Uint8Array): void {
  if (!setAttribute(place, name, value))
    throw new EngineError(`${toText(place.path)} cannot be given the attribute ${name} here`);
}
