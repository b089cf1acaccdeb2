import type { RunSettings } from '../image/index.ts';

/** Flags that say how what an image holds is run, as the command line gives them. */
export interface SettingFlags {
  readonly env?: readonly string[];
  readonly cmd?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly user?: string;
  readonly workdir?: string;
  readonly label?: readonly string[];
}

/** The settings that flags give. */
export function settingsOf({
  env,
  cmd,
  entrypoint,
  user: who,
  workdir,
  label: labels,
}: SettingFlags): RunSettings {
  return {
    ...(env === undefined ? {} : { env }),
    ...(cmd === undefined ? {} : { command: cmd }),
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(who === undefined ? {} : { user: who }),
    ...(workdir === undefined ? {} : { workingDirectory: workdir }),
    ...(labels === undefined ? {} : { labels: Object.fromEntries(labels.map(halves)) }),
  };
}

const halves = (text: string): [name: string, value: string] => {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
};
