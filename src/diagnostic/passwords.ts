const hidden = (text: string): string => '*'.repeat(text.length);

/**
 * Text with the passwords of addresses in it as asterisks, one a character: `https://user:***@host`, all before the @ where a scheme of HTTP stands
 * before it (a token is a user's name there), and `user:***@host/path` without a scheme.
 */
export function withoutPasswords(text: string): string {
  return text
    .replace(/(?<=\bhttps?:\/\/)[^\s/@"'`]+(?=@)/gi, (user) => user.replace(/[^:]+$/, hidden))
    .replace(/(?<=\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:"'`]*:)[^\s/@"'`]+(?=@)/gi, hidden)
    .replace(/(?<=(?:^|[\s"'`(=,[{])[\w.+-]+:)[^\s/@"'`]+(?=@(?!sha\d+:)[\w.-]+(?::\d+)?\/)/g, hidden);
}

/** A text that is meant for one address: as `withoutPasswords`, and whatever else may be a password in it. */
export function withoutPassword(address: string): string {
  return withoutPasswords(address).replace(/(?<=(?:^|\/\/)[^/@:]*:)(?!\/\/).*(?=@(?!sha\d+:))/gs, hidden);
}
