const hidden = (text: string): string => '*'.repeat(text.length);

/**
 * Replaces passwords in URLs with asterisks, one for each character: `https://user:***@host`. For http and
 * https, everything before the @ is replaced if it has no colon, because a token can be given as the user
 * name. `user:***@host/path` without a scheme is also recognised.
 */
export function withoutPasswords(text: string): string {
  return text
    .replace(/(?<=\bhttps?:\/\/)[^\s/@"'`]+(?=@)/gi, (user) => user.replace(/[^:]+$/, hidden))
    .replace(/(?<=\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:"'`]*:)[^\s/@"'`]+(?=@)/gi, hidden)
    .replace(/(?<=(?:^|[\s"'`(=,[{])[\w.+-]+:)[^\s/@"'`]+(?=@(?!sha\d+:)[\w.-]+(?::\d+)?\/)/g, hidden);
}

/**
 * Like `withoutPasswords`, for a text that is expected to be a single address. It also hides passwords that
 * contain characters not allowed in URLs.
 */
export function withoutPassword(address: string): string {
  return withoutPasswords(address).replace(/(?<=(?:^|\/\/)[^/@:]*:)(?!\/\/).*(?=@(?!sha\d+:))/gs, hidden);
}
