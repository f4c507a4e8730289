/**
 * Feeds a target with bytes, guided by what they make run: an input that reaches something new is kept and
 * changed further. The same seed and the same code give the same inputs.
 */
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { type Bytes, toHex } from '../../runtime/core/bytes.ts';
import { openCoverage } from './coverage.ts';
import { mutated } from './mutations.ts';
import type { FuzzTarget } from './targets.ts';

export interface FuzzReport {
  readonly target: string;
  readonly executions: number;
  /** Inputs that reached something new, those given at the start among them. */
  readonly corpus: number;
  readonly features: number;
  /** The first input that broke a claim, hexadecimal, and what it broke. */
  readonly broken: { readonly input: string; readonly error: string } | null;
}

/** Inputs between two looks at the counters: a look costs more than many inputs. */
const BATCH = 24;
const WORDS_MAX = 64;

/** Runs until `goesOn` says no, or a claim breaks. */
export function fuzz(
  target: FuzzTarget,
  options: { readonly seed: string; readonly goesOn: (executions: number) => boolean },
): FuzzReport {
  const entropy = createSimulatedEntropy(`${options.seed}/${target.name}`);
  const corpus: Bytes[] = [];
  /** Features of single inputs, and of batches: counters add up over a batch. */
  const known = new Set<string>();
  const knownOfBatches = new Set<string>();
  const words = [...target.words, ...target.seeds.flatMap((seed) => piecesOf(seed))].slice(0, WORDS_MAX);
  let executions = 0;
  let broken: FuzzReport['broken'] = null;
  const coverage = openCoverage(target.sources);
  const run = (input: Bytes): void => {
    executions++;
    try {
      target.run(input);
    } catch (error) {
      if (target.allows(error)) return;
      broken ??= { input: toHex(input), error: error instanceof Error ? (error.stack ?? '') : String(error) };
    }
  };
  /** Whether anything ran that never ran before. */
  const news = (seen: Set<string>): boolean => {
    const before = seen.size;
    for (const feature of coverage.take()) seen.add(feature);
    return seen.size > before;
  };
  try {
    coverage.take();
    for (const seed of [...target.seeds, new Uint8Array(0)]) {
      run(seed);
      news(known);
      corpus.push(seed);
    }
    while (broken === null && options.goesOn(executions)) {
      const batch = Array.from({ length: BATCH }, () => mutated(corpus, words, entropy));
      for (const input of batch) run(input);
      if (!news(knownOfBatches)) continue;
      for (const input of batch) {
        run(input);
        if (news(known)) corpus.push(input);
      }
    }
  } finally {
    coverage.close();
  }
  return { target: target.name, executions, corpus: corpus.length, features: known.size, broken };
}

/** Pieces of a good input: tags and lengths are among them. */
function piecesOf(seed: Bytes): readonly Bytes[] {
  return [0, 1, 2, 4, 8].flatMap((at) => [seed.subarray(at, at + 2), seed.subarray(at, at + 4)]);
}
