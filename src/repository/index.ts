/**
 * Packages in registries and repositories, as clients read them. It pushes images with the contents of
 * packages, which Luet's clients install: `R:NAME-CATEGORY-VERSION`, with a second image for the package's
 * metadata.
 *
 * This room does not know how a package was built.
 */
export {
  contentImage,
  type FinalImageResult,
  type FinalImagesOptions,
  type PublishedPackage,
  pushFinalImage,
} from './final-images.ts';
export { finalTag, tagProblems } from './final-tags.ts';
