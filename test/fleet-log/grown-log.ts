/** A fleet log of made-up events, grown by the backend's own sequencer in a database in memory. */
import { openSystemClock } from '../../drivers/clock/system.ts';
import { openDirectoryShelf } from '../../drivers/shelf/directory.ts';
import { createInMemoryFleetDatabase, type InMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import type { BackendPorts } from '../../runtime/backend/ports.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import type { Means } from '../../runtime/cli/means.ts';
import { type Leaf, leafOf } from '../../runtime/core/log/leaf.ts';
import type { FleetStore } from '../../runtime/core/store/fleet.ts';
import { noCeremony } from '../cli/support.ts';
import { logKeys } from '../core/log-samples.ts';
import { backendPorts } from '../orders/quota.ts';

export interface GrownLog {
  readonly database: InMemoryFleetDatabase;
  readonly store: FleetStore;
  readonly sequencer: Sequencer;
  readonly ports: BackendPorts;
  /** Events number `from` to `to` - 1 of journal j. */
  grow(from: number, to: number, word?: string): Promise<void>;
}

export async function grownLog(leaves: number, word?: string): Promise<GrownLog> {
  const database = createInMemoryFleetDatabase({ clock: openSystemClock() });
  const store = database.connect();
  const ports: BackendPorts = { ...backendPorts(store), logSigner: logKeys };
  const sequencer = new Sequencer(ports, 4096);
  await sequencer.load();
  const grow = async (from: number, to: number, said = 'well'): Promise<void> => {
    await sequencer.add(async (draft) => {
      for (let i = from; i < to; i++) draft.append(event(i, said));
    }, false);
  };
  if (leaves > 0) await grow(0, leaves, word);
  return { database, store, sequencer, ports, grow };
}

export function event(sequence: number, word: string): Leaf {
  return leafOf('station-event', `event/j/${sequence}`, '2026-01-01T00:00:00.000Z', {
    station: 'station-1',
    journal: 'j',
    sequence,
    hash: word,
  });
}

/** What a command needs to read this fleet and to keep files. */
export function meansOf(store: FleetStore): Partial<Means> {
  return {
    databaseUrl: 'postgresql://simulated',
    openFleet: async () => ({
      read: (work) => store.transaction(work),
      operation: (eid) => store.transaction((tx) => tx.operationByEid(eid)),
      [Symbol.asyncDispose]: async () => undefined,
    }),
    ceremony: { ...noCeremony, shelf: openDirectoryShelf() },
  };
}
