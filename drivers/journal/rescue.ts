/** What is looked at, and kept as evidence, before LevelDB opens its store and changes it. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../runtime/core/faults.ts';
import { syncFiles } from './durable-files.ts';
import { STORE } from './leveldb-store.ts';
import { judgeLog } from './log-scan.ts';

/** Copies of logs that ended in the middle of a write. */
const RESCUE = 'rescue';
/** The oldest beyond these are removed. */
const COPIES_MAX = 2;

/**
 * Copies every log that ends in the middle of a write. That happens at any power cut: what is cut off was never
 * acknowledged, or the witness misses it.
 * @throws Fault JOURNAL_DAMAGED, with nothing touched, when whole records follow a broken one.
 */
export function keepTornLogs(directory: string, onWarning: (warning: string) => void): void {
  const { torn, damage } = judgeLogs(join(directory, STORE));
  if (damage !== null) throw damage;
  if (torn.length === 0) return;
  const rescue = join(directory, RESCUE);
  mkdirSync(rescue, { recursive: true, mode: 0o750 });
  for (const name of torn) {
    copyFileSync(join(directory, STORE, name), join(rescue, name));
    onWarning(`the journal's last write was cut off; its log is kept as ${RESCUE}/${name}`);
  }
  // LevelDB numbers its files upwards: the names sort by age.
  for (const name of readdirSync(rescue).sort().slice(0, -COPIES_MAX)) rmSync(join(rescue, name));
  syncFiles(rescue);
}

/** The logs of a LevelDB directory that end in the middle of a write, and JOURNAL_DAMAGED for one broken before. */
export function judgeLogs(store: string): {
  readonly torn: readonly string[];
  readonly damage: Fault | null;
} {
  const logs = readdirSync(store)
    .filter((name) => name.endsWith('.log'))
    .map((name) => ({ name, state: judgeLog(readFileSync(join(store, name))) }));
  const broken = logs.find(({ state }) => state === 'damaged');
  return {
    torn: logs.filter(({ state }) => state === 'torn').map(({ name }) => name),
    damage: broken
      ? new Fault('JOURNAL_DAMAGED', { file: broken.name, reason: 'broken in its middle' })
      : null,
  };
}
