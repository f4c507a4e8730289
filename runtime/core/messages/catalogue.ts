/** Every channel of every program, and the broker's access list that follows from them. */
import { type Channel, filterOf } from './channel.ts';
import { exchanges } from './exchanges.ts';
import { statusReconciliation } from './reconciliation.ts';
import { statusChannels } from './status.ts';

export const channels: readonly Channel[] = [
  ...exchanges.flatMap((kind) => [kind.requestChannel, kind.answerChannel]),
  ...statusChannels,
  statusReconciliation,
];

/** Names that stand in topics of status. */
export interface Plant {
  readonly enterprise: string;
  readonly site: string;
  readonly area: string;
  readonly line: string;
}

export interface Parties {
  readonly stations: readonly string[];
  readonly gateways: readonly string[];
  readonly backends: readonly string[];
  /** Readers of status, who may publish nothing at all. */
  readonly subscribers: readonly string[];
}

/** mosquitto's acl_file: each party by the name in its certificate, each right from a declaration. */
/** @throws RangeError for a name with which a right would reach further than it should */
export function accessList(parties: Parties, plant: Plant): string {
  const names = [...Object.values(parties).flat(), ...Object.values(plant)];
  for (const name of names)
    if (!/^[A-Za-z0-9-]{1,32}$/.test(name)) throw new RangeError(`not a name: ${name}`);
  const place = { ...plant };
  const blocks: string[] = ['# Generated from the channel declarations. Do not edit.'];
  const block = (user: string, lines: readonly string[]): void => {
    blocks.push('', `user ${user}`, ...new Set(lines));
  };
  for (const station of parties.stations)
    block(station, [
      ...of('station', 'from', { ...place, station }).map((filter) => `topic write ${filter}`),
      ...of('station', 'to', { ...place, station }).map((filter) => `topic read ${filter}`),
    ]);
  for (const instance of parties.gateways)
    block(instance, [
      ...of('gateway', 'to', { instance }).map((filter) => `topic read ${filter}`),
      ...of('gateway', 'from', {}).map((filter) => `topic write ${filter}`),
    ]);
  for (const backend of parties.backends)
    block(backend, [
      ...of('backend', 'to', {}).map((filter) => `topic read ${filter}`),
      ...of('backend', 'from', {}).map((filter) => `topic write ${filter}`),
    ]);
  for (const subscriber of parties.subscribers)
    block(
      subscriber,
      of('mes', 'to', { ...place }).map((filter) => `topic read ${filter}`),
    );
  return `${blocks.join('\n')}\n`;
}

function of(
  program: Channel['from'],
  side: 'from' | 'to',
  parameters: Readonly<Record<string, string>>,
): readonly string[] {
  return channels.filter((c) => c[side] === program).map((c) => filterOf(c, parameters));
}
