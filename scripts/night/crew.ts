/** Lives through many nights on several processes at once. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Story } from './story.ts';
import { added, nothing, type Tally } from './tally.ts';

const CHUNK = 20;
const PATCH = new URL('./mutants/patch.js', import.meta.url).href;
const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

export type Chunk = readonly (string | Story)[];

/**
 * @param stories each a story, or a seed to draw one from
 * @param onChunk told of the sum so far
 * @returns the sum; begins nothing more after `failuresMax` failures
 */
export async function liveThroughAll(
  stories: Iterable<string | Story>,
  options: {
    readonly workers: number;
    readonly failuresMax: number;
    /** Name of the mutant that the processes are made of. */
    readonly mutant?: string;
    /** Nights that one process is given at a time. */
    readonly chunk?: number;
    readonly onChunk?: (sofar: Tally) => void;
  },
): Promise<Tally> {
  const next = stories[Symbol.iterator]();
  let sum = nothing;
  const chunk = (): Chunk => {
    const taken: (string | Story)[] = [];
    while (taken.length < (options.chunk ?? CHUNK)) {
      const { done, value } = next.next();
      if (done === true) break;
      taken.push(value);
    }
    return taken;
  };
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      // Where every core has a night to live through, helpers of one process only stand in the way of another.
      const flags = ['--enable-source-maps', '--max-semi-space-size=32', '--single-threaded'];
      const { mutant } = options;
      const worker = fork(WORKER, {
        execArgv: mutant === undefined ? flags : [...flags, '--import', PATCH],
        env: { ...process.env, ...(mutant === undefined ? {} : { HOLDFAST_MUTANT: mutant }) },
      });
      const give = (): void => {
        const more = sum.failures.length >= options.failuresMax ? [] : chunk();
        if (more.length === 0) worker.disconnect();
        else worker.send(more);
      };
      worker.on('message', (tally: Tally) => {
        sum = added(sum, tally);
        options.onChunk?.(sum);
        give();
      });
      worker.on('error', reject);
      worker.on('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`)),
      );
      give();
    });
  await Promise.all(Array.from({ length: options.workers }, work));
  return sum;
}
