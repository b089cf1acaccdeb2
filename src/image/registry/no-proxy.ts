import { BlockList, isIP } from 'node:net';
import { isLoopback } from './loopback.ts';

type Matcher = (host: string, port: string) => boolean;

const families = { 4: 'ipv4', 6: 'ipv6' } as const;

/** An address without the brackets of a URL, and its family. Undefined for a name. */
function addressOf(host: string): { readonly address: string; readonly family: 'ipv4' | 'ipv6' } | undefined {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const version = isIP(address);
  return version === 0 ? undefined : { address, family: families[version as 4 | 6] };
}

/**
 * Parses `NO_PROXY` and returns a function that says which URLs are requested without a proxy. The format is
 * that of Go programs (golang.org/x/net/http/httpproxy), such as Docker, podman and skopeo: names, which
 * include their subdomains; `.NAME` and `*.NAME`, which match subdomains only; addresses; networks
 * (`10.0.0.0/8`); and `*`. All except networks can have a port. Loopback addresses never use a proxy.
 */
export function noProxyMatcher(text: string): (url: URL) => boolean {
  const matchers: Matcher[] = [];
  for (const part of text.split(',').map((one) => one.trim().toLowerCase()))
    if (part === '*') return () => true;
    else if (part !== '') matchers.push(matcherOf(part));
  return ({ host, hostname, port, protocol }) => {
    if (isLoopback(host)) return true;
    const asked = port || (protocol === 'https:' ? '443' : '80');
    return matchers.some((matches) => matches(hostname, asked));
  };
}

function matcherOf(text: string): Matcher {
  const network = /^(.*)\/(\d{1,3})$/.exec(text);
  if (network !== null) return networkMatcher(network[1] ?? '', Number(network[2]));
  const [, named = text, wanted = ''] = /^(\[.*\]|[^:]*)(?::(\d*))?$/.exec(text) ?? [];
  const isPort: (port: string) => boolean = (port) => wanted === '' || wanted === port;
  const own = addressOf(named);
  if (own !== undefined) {
    const list = new BlockList();
    list.addAddress(own.address, own.family);
    return (host, port) => isPort(port) && isListed(list, host);
  }
  if (named === '') return () => false;
  const below = named.replace(/^\*?(?=\.)/, '').replace(/^(?!\.)/, '.');
  const isWhole = !/^\*?\./.test(named);
  return (host, port) =>
    isPort(port) &&
    addressOf(host) === undefined &&
    (host.endsWith(below) || (isWhole && `.${host}` === below));
}

function networkMatcher(network: string, bits: number): Matcher {
  const own = addressOf(network);
  if (own === undefined || bits > (own.family === 'ipv4' ? 32 : 128)) return () => false;
  const list = new BlockList();
  list.addSubnet(own.address, bits, own.family);
  return (host) => addressOf(host)?.family === own.family && isListed(list, host);
}

function isListed(list: BlockList, host: string): boolean {
  const address = addressOf(host);
  return address !== undefined && list.check(address.address, address.family);
}
