/**
 * The image store of this machine: a folder with images, which any number of runs share. The native engine
 * builds on it, and the commands `luet-ts store …` show, check and clean it. An image is a small record, a
 * JSON file under the image's name that lists layers; a layer is a folder, as overlay mounts want it. A
 * record is written last and in one step, so an image is there as a whole or not at all, whatever happens to
 * the run that makes it.
 *
 * `Store` is the entrance: `find` and `put` images by name, `newLayer` for files, `holds` for layers that
 * must not be removed now, `collect` and `sweep` for those that nobody needs. `StoreImages` reads and writes
 * images as data, as registries have them.
 */
export { layerUses } from './collect.ts';
export { checkStore, fullError, isFull, isNoSpace, storeFailure } from './disk.ts';
export { StoreError } from './errors.ts';
export { type Garbage, garbageOf } from './garbage.ts';
export type { Hold } from './holds.ts';
export { type Means, StoreImages } from './images.ts';
export { type LayerFolder, prefixOf } from './layers.ts';
export type { ImageRecord, RecordLayer } from './records.ts';
export { type OverlayForm, Store } from './store.ts';
export { type ImageUse, usageOf } from './usage.ts';
export { type VerifiedLayer, verifyStore } from './verify.ts';
