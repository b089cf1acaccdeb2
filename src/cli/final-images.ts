import { mkdtempSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { metadataName } from '../artifact/index.ts';
import { type Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import type { BuildEvent, EventSink } from '../events/index.ts';
import type { BuiltPackage } from '../execute/index.ts';
import { hostPlatform, type Platform, parsePlatform, type Registry } from '../image/index.ts';
import { openRegistry } from '../library/index.ts';
import {
  contentImage,
  finalTag,
  type PublishedPackage,
  pushFinalImage,
  tagProblems,
} from '../repository/index.ts';
import { PlanIndex, type ResolvedPlan } from '../resolve/index.ts';
import type { Running } from './build-run.ts';

/** Packages whose images are made at once. */
const AT_ONCE = 4;

/** Makes images of the contents of built packages, in the engine or in a registry. */
export class FinalImages {
  readonly #running: Running;
  readonly #onEvent: EventSink<BuildEvent>;
  #registry: Promise<Registry> | undefined;

  constructor(running: Running, onEvent: EventSink<BuildEvent>) {
    this.#running = running;
    this.#onEvent = onEvent;
  }

  get #repository(): string {
    const { pushFinalImagesRepository, imageRepository } = this.#running.flags;
    return pushFinalImagesRepository ?? imageRepository;
  }

  /** Refuses packages of a plan that cannot have such an image, before anything runs. Throws a DiagnosticError. */
  check(plan: ResolvedPlan): void {
    const index = new PlanIndex(plan);
    const wanted = plan.artifacts.filter((artifact) => artifact.wanted);
    const problems = tagProblems(
      wanted.flatMap((artifact) => {
        const { outputs, place } = index.package(artifact.package);
        return outputs.map(({ name, fingerprint }) => ({ package: name, fingerprint, place }));
      }),
    );
    if (problems.length > 0) throw new DiagnosticError(problems);
  }

  /** Makes the images of some packages. Resolves to what could not be made. */
  async make(packages: readonly BuiltPackage[]): Promise<readonly Diagnostic[]> {
    const { workplace, engine, flags } = this.#running;
    const temporary = mkdtempSync(join(workplace.temporary, 'final-'));
    const named = parsePlatform((await engine.report()).platform);
    const platform = typeof named === 'string' ? hostPlatform() : named;
    const problems: Diagnostic[] = [];
    const open = [...packages];
    const worker = async (): Promise<void> => {
      for (let one = open.shift(); one !== undefined; one = open.shift()) {
        try {
          const pack = published(one);
          if (flags.pushFinalImages) await this.#push(pack, { temporary, platform });
          else await this.#generate(pack, { temporary, platform });
        } catch (error) {
          const { isTransferError } = await import('../cache/index.ts');
          if (!isTransferError(error)) throw error;
          problems.push(this.#problem(one, error.message));
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return problems;
  }

  async #push(
    pack: PublishedPackage,
    where: { readonly temporary: string; readonly platform: Platform },
  ): Promise<void> {
    const { flags, context } = this.#running;
    this.#registry ??= openRegistry(context, flags.plainHttp);
    const registry = await this.#registry;
    const { outcome, image } = await pushFinalImage(pack, {
      ...where,
      registry,
      repository: this.#repository,
      force: flags.pushFinalImagesForce === true,
      signal: context.signal,
    });
    if (outcome !== 'differs') return;
    const message = `image ${image} has other content and stays: clients take a version that exists for unchanged; --push-final-images-force replaces it`;
    this.#onEvent({ type: 'notice', package: pack.package, message });
  }

  async #generate(
    pack: PublishedPackage,
    where: { readonly temporary: string; readonly platform: Platform },
  ): Promise<void> {
    const { engine, context } = this.#running;
    const image = await contentImage(pack, { ...where, signal: context.signal });
    const name = `${this.#repository}:${finalTag(pack.fingerprint)}`;
    await engine.write([{ name, image }], { signal: context.signal });
  }

  #problem({ package: name }: BuiltPackage, why: string): Diagnostic {
    return {
      code: 'not-pushed',
      severity: 'error',
      message: `its content was not pushed to ${this.#repository}: ${why}`,
      package: name,
      hint: 'When that is solved, build again with the same flags: only what the registry lacks is pushed',
    };
  }
}

/** A built package with the names of its files. */
function published({ package: name, archive }: BuiltPackage): PublishedPackage {
  const fingerprint = basename(archive).replace(/\.package\.tar(?:\.\w+)?$/, '');
  return { package: name, fingerprint, archive, metadata: join(dirname(archive), metadataName(fingerprint)) };
}
