import { createHash } from 'node:crypto';
import type { Digest, Registry, RetryClock } from '../../image/index.ts';
import { isImageError } from './difference.ts';
import type { TagLookup } from './lookup.ts';

/** What the small manifest is by which a machine says that it is building an image. */
const LEASE_TYPE = 'application/vnd.luet-ts.lease.v1';

const annotations = {
  builder: 'luet-ts.builder',
  state: 'luet-ts.state',
  beat: 'luet-ts.beat',
} as const;

/** Milliseconds between two signs of life of a machine that builds. */
const BEAT = 20_000;

/** A machine that gave no sign for so many milliseconds has stopped. */
const STALE = 90_000;

/** Milliseconds between two looks at an image that is waited for. */
const LOOK = 5000;

/** How machines tell each other what they are building. */
export interface LeaseOptions {
  readonly registry: Pick<Registry, 'artifact' | 'writeArtifact' | 'head'>;
  readonly lookup: TagLookup;
  /** This machine and run, for people and to tell them from others. */
  readonly builder: string;
  readonly clock: Pick<RetryClock, 'now' | 'sleep'>;
  /** How long an image is waited for at most, in milliseconds. */
  readonly timeout: number;
  /** Called once for each image that is waited for, with who builds it, where that is known. */
  readonly onWait: (key: string, builder: string | undefined) => void;
  readonly signal: AbortSignal;
}

/** How waiting for an image ended; `nobody` where no machine says that it is building it, and none is expected to. */
export type Waited = 'there' | 'timeout' | 'stopped' | 'nobody';

/** Says which images this machine is building, and waits for those that others build. */
export class Leases {
  readonly #options: LeaseOptions;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** The tag under which a machine says that it is building the image of a key. */
  static tag(key: string): string {
    return `building-${createHash('sha256').update(key).digest('hex').slice(0, 40)}`;
  }

  /**
   * Says that this machine is building an image, again and again until what it answers is called. A registry that does not take
   * that is no obstacle: others then wait as long as they may.
   */
  begin(key: string): () => Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#options.signal]);
    const beating = (async () => {
      for (let beat = 0; ; beat++) {
        await this.#write(key, 'building', beat, signal);
        await this.#options.clock.sleep(BEAT, signal);
      }
    })().catch(() => {});
    return async () => {
      over.abort();
      await beating;
      if (!this.#options.signal.aborted)
        await this.#write(key, 'ended', 0, this.#options.signal).catch(() => {});
    };
  }

  async #write(key: string, state: string, beat: number, signal: AbortSignal): Promise<void> {
    const { registry, lookup, builder } = this.#options;
    const artifact = {
      artifactType: LEASE_TYPE,
      annotations: {
        [annotations.builder]: builder,
        [annotations.state]: state,
        [annotations.beat]: String(beat),
      },
      parts: [],
    };
    await registry.writeArtifact(`${lookup.repository}:${Leases.tag(key)}`, artifact, { signal });
  }

  /**
   * Waits until the image of a key is there, the machine that builds it has stopped, or the time is over. Where it is not expected
   * to come, it is waited for only where a machine says that it is building it.
   */
  async wait(key: string, isExpected: boolean): Promise<Waited> {
    const { lookup, clock, timeout, onWait, signal } = this.#options;
    const start = clock.now();
    let last: Digest | '' | undefined;
    let since = start;
    for (let isFirst = true; ; isFirst = false) {
      if ((await this.#ask(() => lookup.headNow(key))) !== undefined) return 'there';
      const beat = await this.#ask(() => lookup.headNow(Leases.tag(key)));
      if (beat === undefined && !isExpected) return 'nobody';
      if (beat !== last) {
        last = beat;
        since = clock.now();
        const state = await this.#state(key);
        if (state?.state === 'ended') {
          // It ended after it was asked for the image, or without one.
          return (await this.#ask(() => lookup.headNow(key))) === undefined ? 'stopped' : 'there';
        }
        if (isFirst) onWait(key, state?.builder);
      } else if (isFirst) onWait(key, undefined);
      if (beat !== undefined && clock.now() - since > STALE) return 'stopped';
      const left = timeout - (clock.now() - start);
      if (left <= 0) return 'timeout';
      await clock.sleep(Math.min(LOOK, left), signal);
    }
  }

  async #state(key: string): Promise<{ builder: string; state: string } | undefined> {
    const { registry, lookup, signal } = this.#options;
    const name = `${lookup.repository}:${Leases.tag(key)}`;
    const artifact = await this.#ask(() => registry.artifact(name, signal));
    if (artifact?.artifactType !== LEASE_TYPE) return undefined;
    const { [annotations.builder]: builder = '', [annotations.state]: state = '' } = artifact.annotations;
    return { builder, state };
  }

  /** What the registry answers; undefined where it does not: it may the next time. */
  async #ask<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (!isImageError(error)) throw error;
      return undefined;
    }
  }
}
