import { EngineError, NoShellError } from '../../errors.ts';
import type { WorkspaceOptions } from '../../types.ts';
import { retryPassing } from '../connection/passing.ts';
import type { FlatImages } from '../images/flat.ts';
import type { RunContext } from './container.ts';
import { UnstartedWorkspace } from './unstarted.ts';
import { type ContainerWorkspace, DockerWorkspace } from './workspace.ts';

/** The containers of one run: opens them, and closes all that are open. */
export class Containers {
  readonly #context: RunContext;
  readonly #flat: FlatImages;
  readonly #opened = new Set<ContainerWorkspace>();
  #lease: Promise<DockerWorkspace> | undefined;

  /** `flat` says which image a container starts from. */
  constructor(context: RunContext, flat: FlatImages) {
    this.#context = context;
    this.#flat = flat;
  }

  /** Opens an image, also one without a shell. */
  async open(options: WorkspaceOptions): Promise<ContainerWorkspace> {
    try {
      return await this.start(options);
    } catch (error) {
      if (!(error instanceof NoShellError)) throw error;
      const image = await this.#flat.startable(options.image);
      return this.#remember(await UnstartedWorkspace.create(this.#context, image, options));
    }
  }

  /** Opens an image in a container that runs. Rejects with a `NoShellError` where the image has no shell. */
  async start(options: WorkspaceOptions): Promise<DockerWorkspace> {
    try {
      const open = async (): Promise<DockerWorkspace> =>
        DockerWorkspace.open(this.#context, await this.#flat.startable(options.image), options);
      return this.#remember(await retryPassing(open));
    } catch (error) {
      this.#flat.forget(options.image);
      throw withImage(error, options.image);
    }
  }

  /** Reads all files of an image as a tar stream, in a container that exists while `use` works. */
  async export(image: string, use: (root: AsyncIterable<Uint8Array>) => Promise<unknown>): Promise<void> {
    const options = { image, environment: new Map<string, string>(), folder: '/', network: 'none' };
    const opening: Promise<ContainerWorkspace> = DockerWorkspace.open(this.#context, image, options);
    const source = await opening.catch((error: unknown) => {
      if (error instanceof NoShellError) return UnstartedWorkspace.create(this.#context, image, options);
      throw error;
    });
    this.#remember(source);
    try {
      await use(await source.export());
    } finally {
      await this.close(source);
    }
  }

  /**
   * Keeps one container of this run alive: other runs take temporary images of a run without one for leftovers.
   * Rejects with a `NoShellError` where `image` cannot keep a container running.
   */
  async keepLease(image: string): Promise<void> {
    // A lease that failed, or whose container ended, is replaced.
    const before = this.#lease?.catch(() => undefined) ?? Promise.resolve(undefined);
    this.#lease = before.then((held) =>
      held?.ended === false
        ? held
        : this.start({ image, environment: new Map(), folder: '/', network: 'none' }),
    );
    await this.#lease;
  }

  #remember<T extends ContainerWorkspace>(workspace: T): T {
    this.#opened.add(workspace);
    return workspace;
  }

  /** Closes a workspace. Where that fails, `closeAll` tries again. */
  async close(workspace: ContainerWorkspace): Promise<void> {
    await workspace.close();
    this.#opened.delete(workspace);
  }

  /** Closes all workspaces that are open, whether that succeeds or not. */
  async closeAll(): Promise<void> {
    await Promise.allSettled([...this.#opened].map((workspace) => this.close(workspace)));
  }
}

/** Adds the image's name to an error that says an image is missing; any other error stays as it is. */
function withImage(error: unknown, image: string): unknown {
  if (!(error instanceof EngineError) || error.kind !== 'image-missing' || error.image !== undefined)
    return error;
  return new EngineError(`the engine has no image ${image}`, { cause: error, kind: 'image-missing', image });
}
