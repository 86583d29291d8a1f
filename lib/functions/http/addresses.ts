/**
 * Addresses that a request must not reach, whoever names them: those that give the machine's own credentials to whoever asks, and in a
 * function on AWS the function itself. Checked is the address that is connected to, so that a name which gives another one the next
 * time is of no use.
 */
import { type LookupAddress, lookup as lookupName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { NoResponse } from './no-response.ts';

/** Resolves a name: `dns.lookup` with `all: true`. */
export type Resolve = (name: string) => Promise<LookupAddress[]>;

export interface Reach {
  /** Whether requests to this machine itself are allowed. */
  readonly loopback: boolean;
  readonly resolve?: Resolve;
}

/**
 * Link-local addresses, among them the metadata services of AWS (also a container's credentials), Google, Azure and others, and those of
 * their metadata services that are not link-local: AWS by IPv6, Azure's wire server, Alibaba, Google by IPv6, Oracle.
 */
const METADATA = [
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::/32',
  '168.63.129.16/32',
  '100.100.100.200/32',
  'fd20:ce::254/128',
  '192.0.0.192/32',
];
/** `0.0.0.0` and `::` connect to this machine, too. */
const LOOPBACK = ['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'];
/** IPv6 addresses that hold one of IPv4 in their last four bytes: NAT64 (two), SIIT, the oldest form. (BlockList knows `::ffff:…` itself.) */
const EMBEDDED = ['64:ff9b::', '64:ff9b:1::', '::ffff:0:', '::'];

const metadata = blockList(METADATA);
const loopback = blockList(LOOPBACK);

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = '', bits] = subnet.split('/');
    if (isIP(net) === 6) {
      list.addSubnet(net, Number(bits), 'ipv6');
      continue;
    }
    list.addSubnet(net, Number(bits), 'ipv4');
    for (const prefix of EMBEDDED) list.addSubnet(`${prefix}${net}`, 96 + Number(bits), 'ipv6');
    // 6to4: the address is the second to the fifth byte.
    const [a, b, c, d] = net.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
    list.addSubnet(`2002:${a}${b}:${c}${d}::`, 16 + Number(bits), 'ipv6');
  }
  return list;
}

/** The reason why an address must not be reached; undefined if it may be. */
export function refused(address: string, reach: Reach): string | undefined {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (metadata.check(address, family)) return 'link-local addresses and those of metadata services are not asked';
  if (!reach.loopback && loopback.check(address, family))
    return 'a deployed workflow does not ask the machine that it runs on';
  return undefined;
}

/**
 * For an address that the URL has in place of a name; `new URL` has already brought 0x7f.1 and the like to the usual form. @throws
 * NoResponse
 */
export function checkLiteral(url: URL, reach: Reach): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const why = isIP(host) === 0 ? undefined : refused(host, reach);
  if (why !== undefined) throw new NoResponse(REFUSED, `${host} is refused: ${why}`);
}

export const REFUSED = 'REFUSED';

/** For names, when a connection is made: gives what was checked, or fails where one of the addresses is refused. */
export function checkedLookup(reach: Reach): LookupFunction {
  const resolve = reach.resolve ?? resolveName;
  return (name, options, callback) => {
    resolve(name).then(
      (all) => {
        const wanted =
          options.family === 4 || options.family === 6 ? all.filter((one) => one.family === options.family) : all;
        for (const { address } of all) {
          const why = refused(address, reach);
          if (why !== undefined) {
            callback(new NoResponse(REFUSED, `${name} is ${address}, which is refused: ${why}`), []);
            return;
          }
        }
        const [first] = wanted;
        if (first === undefined) callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), []);
        else if (options.all === true) callback(null, wanted);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

function resolveName(name: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookupName(name, { all: true }, (error, all) => (error ? reject(error) : resolve(all)));
  });
}
