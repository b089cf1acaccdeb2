const hidden = (text: string): string => '*'.repeat(text.length);

/** Where a user's name and a colon end within a run of characters, at which a password can begin. */
const NAMED = /(?:^|[(=,[{])[\w.+-]+:/;

/**
 * Replaces passwords in URLs with asterisks, one for each character: `https://user:***@host`. For http and
 * https, everything before the @ is replaced if it has no colon, because a token can be given as the user
 * name. `user:***@host/path` without a scheme is also recognised. The time is in proportion to the text, whatever
 * that is: each run of characters is looked at once.
 */
export function withoutPasswords(text: string): string {
  return text
    .replace(/(?<=\bhttps?:\/\/)[^\s/@"'`]+(?=@)/gi, (user) => {
      const from = user.lastIndexOf(':') + 1;
      return user.slice(0, from) + hidden(user.slice(from));
    })
    .replace(/(?<=\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:"'`]*:)[^\s/@"'`]+(?=@)/gi, hidden)
    .replace(
      /([^\s/@"'`]+)(@(?!sha\d+:)[\w.-]+(?::\d+)?\/)?/g,
      (all: string, run: string, host: string | undefined, at: number, whole: string) => {
        if (host === undefined) return all;
        // Behind a slash or an @ a name goes on, and does not begin.
        const goesOn = '/@'.includes(whole.charAt(at - 1) || ' ');
        const found = NAMED.exec(goesOn ? `/${run}` : run);
        if (found === null) return all;
        const from = found.index + found[0].length - (goesOn ? 1 : 0);
        return run.slice(0, from) + hidden(run.slice(from)) + host;
      },
    );
}

/**
 * Like `withoutPasswords`, for a text that is expected to be a single address. It also hides passwords that
 * contain characters not allowed in URLs.
 */
export function withoutPassword(address: string): string {
  return withoutPasswords(address).replace(/(?<=(?:^|\/\/)[^/@:]*:)(?!\/\/).*(?=@(?!sha\d+:))/gs, hidden);
}
