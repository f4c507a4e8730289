/** Databases that are restored from a backup, and brought to their newest state where that is missed. */
import type { Plant } from './plant.ts';
import type { Standing } from './standing.ts';
import type { Mishap } from './story.ts';

type Restored = Extract<Mishap, { kind: 'store-restored' | 'ledger-restored' }>;

/** A database as a backup sees it. */
interface Restorable {
  backup(): () => void;
  setReachable(reachable: boolean): void;
  /** Grows with what somebody was told of. */
  told(): number;
  /** Whether it lacks at present what it will have again. */
  lacks: boolean;
}

export function backUp({ backups }: Standing, plant: Plant, mishap: Restored): void {
  backups.set(mishap, restorable(plant, mishap).backup());
}

/** Connections end with the old state, as they do where a server is exchanged. */
export function restore({ backups }: Standing, plant: Plant, mishap: Restored): void {
  const database = restorable(plant, mishap);
  const exchange = (bring: () => void): void => {
    database.setReachable(false);
    bring();
    database.setReachable(true);
  };
  const newest = database.backup();
  const newestTold = database.told();
  const old = backups.get(mishap);
  if (old === undefined || database.lacks) return;
  exchange(old);
  if (mishap.kind === 'store-restored') plant.restored = true;
  if (database.told() >= newestTold) return;
  database.lacks = true;
  const oldTold = database.told();
  plant.clock.after(mishap.forMs, () => {
    // Where nobody had been told of what is missing, its program went on from the old state, and that stays.
    if (database.told() === oldTold) exchange(newest);
    database.lacks = false;
  });
}

function restorable(plant: Plant, { kind }: Restored): Restorable {
  return kind === 'store-restored'
    ? {
        ...plant.fleet,
        told: () => plant.fleet.tables.heads.all()[0]?.size ?? 0,
        get lacks() {
          return plant.rolledBack;
        },
        set lacks(now) {
          plant.rolledBack = now;
        },
      }
    : {
        ...plant.ledger,
        told: () => plant.ledger.tables.marks.all()[0]?.mark ?? 0,
        get lacks() {
          return plant.ledgerRolledBack;
        },
        set lacks(now) {
          plant.ledgerRolledBack = now;
        },
      };
}
