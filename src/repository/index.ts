/**
 * What clients read: packages as they lie in registries and repositories. Here are the images of packages' contents, which Luet's
 * clients install and unpack: `R:NAME-CATEGORY-VERSION`, and beside it one with the package's metadata. Nothing here knows how a
 * package was built.
 */
export {
  contentImage,
  type FinalImageResult,
  type FinalImagesOptions,
  type PublishedPackage,
  pushFinalImage,
} from './final-images.ts';
export { finalTag, tagProblems } from './final-tags.ts';
