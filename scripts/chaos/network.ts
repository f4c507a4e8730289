/**
 * Partitions between our programs and the broker, by the packet filter of a network namespace that is ours
 * alone: each program knows the broker under an address of its own, which is translated to the one it has.
 *
 * @see nft(8), network_namespaces(7)
 */
import { execFileSync } from 'node:child_process';

export type Program = 'station' | 'gateway' | 'backend';
/** Which packets are lost: all, those of the program, or those of the broker. */
export type Direction = 'both' | 'to-broker' | 'from-broker';

const ADDRESSES: Readonly<Record<Program, string>> = {
  station: '127.0.0.2',
  gateway: '127.0.0.3',
  backend: '127.0.0.4',
};
const BROKER = '127.0.0.1';
const DROPPED: Readonly<Record<Direction, string>> = {
  both: '',
  'to-broker': 'ct direction original',
  'from-broker': 'ct direction reply',
};
const programs = Object.keys(ADDRESSES) as Program[];

export const brokerHost = (program: Program): string => ADDRESSES[program];

/** Once per namespace. @throws Error where nft or its address translation is missing */
export function openNetwork(): void {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const rules = programs.map((name) => `ip daddr ${ADDRESSES[name]} dnat to ${BROKER};`);
  nft(
    `table ip chaos {
      chain addresses { type nat hook output priority -100; ${rules.join(' ')} }
      ${programs.map((name) => `chain ${name} { type filter hook output priority 0; }`).join('\n')}
    }`,
  );
}

export function part(program: Program, direction: Direction): void {
  const packets = `ct original ip daddr ${ADDRESSES[program]} ${DROPPED[direction]}`;
  nft(`add rule ip chaos ${program} ${packets} counter drop`);
}

/** How many packets the partition has taken so far. */
export function lost(program: Program): number {
  return Number(/counter packets (\d+)/.exec(nft(`list chain ip chaos ${program}`))?.[1] ?? 0);
}

export function heal(program: Program): void {
  nft(`flush chain ip chaos ${program}`);
}

function nft(script: string): string {
  return execFileSync('nft', ['-f', '-'], { input: script, encoding: 'utf8' });
}
