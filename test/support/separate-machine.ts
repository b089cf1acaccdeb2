import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { conformanceBase } from '../../scripts/base-image.ts';
import { type CliAnswer, cli, luetTs } from './cli.ts';
import { loadIntoStore, scriptEngine } from './engines/native.ts';
import { type PackageFiles, writeTree, written } from './site.ts';

/** A process that builds, which a test may kill. */
export interface BuildProcess {
  readonly child: ChildProcess;
  /** Both outputs, and how it ended. */
  readonly ended: Promise<{ readonly output: string; readonly code: number | null }>;
}

/**
 * A machine of its own for the shipped command: a native engine's store, a destination, a home and temporary files in one
 * folder. `env` are variables that every command line gets.
 */
export class SeparateMachine {
  readonly folder = mkdtempSync(join(tmpdir(), 'luet-ts-machine-'));
  readonly out = join(this.folder, 'out');
  readonly temporary = join(this.folder, 'tmp');
  /** Where the command has its store without being told, too. */
  readonly #store = join(this.folder, '.local/share/luet-ts/store');
  readonly env: Readonly<Record<string, string>>;

  constructor(packages: Readonly<Record<string, PackageFiles>>, env: Readonly<Record<string, string>> = {}) {
    mkdirSync(this.temporary);
    writeTree(join(this.folder, 'tree'), packages);
    this.env = { HOME: this.folder, TMPDIR: this.temporary, ...env };
  }

  /** Puts the tests' base image into the store. */
  async loadBase(): Promise<void> {
    await loadIntoStore(this.#store, await conformanceBase());
  }

  #words(more: readonly string[]): string[] {
    const where = ['--tree', 'tree', '--destination', 'out', '--store', this.#store, '--network', 'none'];
    return ['build', ...where, ...more];
  }

  build(words: readonly string[]): Promise<CliAnswer> {
    return this.run(this.#words(words));
  }

  run(words: readonly string[]): Promise<CliAnswer> {
    return cli(words, { cwd: this.folder, env: this.env });
  }

  /** Builds in a process that can be killed. */
  spawn(words: readonly string[]): BuildProcess {
    const child = spawn(luetTs, this.#words(words), {
      cwd: this.folder,
      env: { PATH: process.env.PATH, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const code = new Promise<number | null>((resolve) => child.on('close', resolve));
    const ended = Promise.all([text(child.stdout), text(child.stderr), code]).then(
      ([stdout, stderr, status]) => ({ output: stdout + stderr, code: status }),
    );
    return { child, ended };
  }

  /** What was built, by file name. */
  written(): Record<string, string> {
    return Object.fromEntries(written(this.out));
  }

  /** Paths of what runs left in the temporary folder. */
  leftovers(): string[] {
    const own = join(this.temporary, `luet-ts-${process.getuid?.()}`);
    return existsSync(own) ? readdirSync(own) : [];
  }

  /** The names of the store's images. */
  async images(repository: string): Promise<string[]> {
    const engine = scriptEngine(this.#store);
    try {
      return [...(await engine.list(repository)).keys()];
    } finally {
      await engine.close();
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
