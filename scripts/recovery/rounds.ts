/** Kills a station with a large journal, starts it again, and takes the time until it is at work. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal, provisionJournal } from '../../drivers/journal/leveldb.ts';
import { entriesOfUnit, genesis } from './plant.ts';

const HOLDER = fileURLToPath(new URL('./holder.js', import.meta.url));
const BATCH = 128;
/** Entries that a life is told of before it is killed; how many more are under way is chance. */
const TOLD_MIN = 25;
const DEADLINE_MS = 60_000;

export interface RecoveryReport {
  readonly entries: number;
  readonly rounds: number;
  /** Entries that were acknowledged and are gone. */
  readonly lost: number;
  /** From the start of the process until the station is at work, and the journal's share; milliseconds, ascending. */
  readonly readyMs: readonly number[];
  readonly openMs: readonly number[];
  readonly foldMs: readonly number[];
}

export async function recoveryRounds(
  directory: string,
  options: { readonly entries: number; readonly rounds: number; readonly onRound?: (round: number) => void },
): Promise<RecoveryReport> {
  const journal = join(directory, 'journal');
  await fill(journal, options.entries);
  const told = new Map<number, string>();
  const times: { ready: number; open: number; fold: number }[] = [];
  for (let round = 0; round <= options.rounds; round++) {
    const life = await liveAndDie(journal, told);
    // The first start of all follows no kill.
    if (round > 0) times.push(life);
    options.onRound?.(round);
  }
  const sorted = (pick: (time: (typeof times)[number]) => number): readonly number[] =>
    times.map(pick).sort((a, b) => a - b);
  return {
    entries: options.entries,
    rounds: options.rounds,
    lost: await countLost(journal, told),
    readyMs: sorted(({ ready }) => ready),
    openMs: sorted(({ open }) => open),
    foldMs: sorted(({ fold }) => fold),
  };
}

/** Many units went through, and the backend has most of it. */
async function fill(directory: string, count: number): Promise<void> {
  await provisionJournal(directory, genesis);
  const unit = await entriesOfUnit();
  await using journal = await open(directory);
  for (let written = 0; written < count; ) {
    const batch = Array.from(
      { length: Math.min(BATCH, count - written) },
      (_, i) => unit[(written + i) % unit.length],
    );
    await journal.append(batch.filter((entry) => entry !== undefined));
    written += batch.length;
  }
  await journal.acknowledge(Math.max(0, count - BATCH));
}

async function liveAndDie(
  journal: string,
  told: Map<number, string>,
): Promise<{ readonly ready: number; readonly open: number; readonly fold: number }> {
  const begun = performance.now();
  const child = spawn(process.execPath, [HOLDER, journal], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  let times: { ready: number; open: number; fold: number } | null = null;
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, first = '', second = ''] = line.split(' ');
    if (what === 'ready')
      times = { ready: performance.now() - begun, open: Number(first), fold: Number(second) };
    else {
      told.set(Number(first), second);
      if (++count === TOLD_MIN) child.kill('SIGKILL');
    }
  }
  clearTimeout(deadline);
  await exited;
  if (times === null) throw new Error('the station was not ready in time');
  return times;
}

async function countLost(directory: string, told: ReadonlyMap<number, string>): Promise<number> {
  await using journal = await open(directory);
  let found = 0;
  for await (const { sequence, hash } of journal.read()) if (told.get(sequence) === hash) found += 1;
  return told.size - found;
}

function open(directory: string) {
  return openLeveldbJournal({
    directory,
    sha256: nodeCrypto.sha256,
    laboratoryFileSystem: true,
    onWarning: () => undefined,
  });
}
