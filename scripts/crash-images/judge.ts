/** Opens what a power cut left with the production code, and compares with what somebody had been told. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openLeveldbJournal, provisionJournal } from '../../drivers/journal/leveldb.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { Journal } from '../../runtime/core/ports.ts';
import type { Image } from './images.ts';

/**
 * `whole`: opens with everything that was told, and takes another entry. `unfinished`: the set-up had not ended, and
 * ends when it is begun again. `refused`: a fault, other than that the set-up has not ended. `lost`: it opens, and
 * something that was told is not there; or a set-up cannot be begun again.
 */
export type Verdict = 'whole' | 'unfinished' | 'refused' | 'lost';

export interface Judgement {
  readonly verdict: Verdict;
  /** Code of the fault, or what is missing. */
  readonly why: string;
}

const genesis = { journal: 'again', station: 'station-1', created: '2026-11-02T08:00:00Z' };

/** @param directory may be written to; nothing is left of it */
export async function judgeImage(image: Image, directory: string): Promise<Judgement> {
  mkdirSync(directory);
  for (const name of image.directories) mkdirSync(join(directory, name));
  for (const [name, bytes] of image.files) writeFileSync(join(directory, name), bytes);
  try {
    return await judge(image, join(directory, 'journal'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function judge({ said }: Image, journal: string): Promise<Judgement> {
  try {
    return await judgeOpened(said, journal);
  } catch (error) {
    if (!isFault(error)) throw error;
    if (said.length > 0 || error.code !== 'JOURNAL_MISSING') return { verdict: 'refused', why: error.code };
  }
  try {
    await provisionJournal(journal, genesis);
    await judgeOpened([], journal);
    return { verdict: 'unfinished', why: 'JOURNAL_MISSING' };
  } catch (error) {
    return { verdict: 'lost', why: `the set-up begun again: ${error}` };
  }
}

/**
 * What was told and is not there, in words; null when nothing is missing.
 * @param said lines of `recorded-run`
 */
export async function missingIn(journal: Journal, said: readonly string[]): Promise<string | null> {
  const stored = new Map<number, string>();
  for await (const { sequence, hash } of journal.read()) stored.set(sequence, hash);
  const gone = journal.cut?.sequence ?? -1;
  const told = (what: string): number =>
    Math.max(
      -1,
      ...said.filter((line) => line.startsWith(`${what} `)).map((line) => Number(line.split(' ').at(-1))),
    );
  if (gone > told('giving up')) return 'entries that nobody gave up';
  if (gone < told('given up')) return 'what was given up is there again';
  for (const line of said) {
    const [what, sequence, hash] = line.split(' ');
    if (what === 'durable' && Number(sequence) > gone && stored.get(Number(sequence)) !== hash)
      return `entry ${sequence}`;
  }
  const waiting = (await journal.unacknowledged(1))[0]?.sequence ?? stored.size + gone + 1;
  return waiting <= told('acknowledged') ? 'the acknowledgement' : null;
}

/** @throws Fault as the opening does */
async function judgeOpened(said: readonly string[], directory: string): Promise<Judgement> {
  await using journal = await openLeveldbJournal({
    directory,
    sha256: nodeCrypto.sha256,
    laboratoryFileSystem: true,
    onWarning: () => undefined,
  });
  const why = await missingIn(journal, said);
  if (why !== null) return { verdict: 'lost', why };
  await journal.append([
    { at: 0, fact: { name: 'arrived', nest: 'a', visit: 'after', arrival: 1 } as never },
  ]);
  return { verdict: 'whole', why: '' };
}
