/**
 * `npm run simulate -- --seeds A..B`: nights of a whole plant in simulated time, each from its seed, every rule asked.
 * `-- --seed S` tells one night again, `-- --sweep` strikes at every crossing of a port, `-- --pairs` at every two.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { liveThroughAll } from './night/crew.ts';
import { liveThrough, rules } from './night/night.ts';
import { shrunk } from './night/shrink.ts';
import { drawStory, type Story } from './night/story.ts';
import { pairs, singles, swept } from './night/sweep.ts';
import type { Failure, Tally } from './night/tally.ts';
import { missingIn } from './night/vacuity.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    story: { type: 'string' },
    sweep: { type: 'boolean', default: false },
    pairs: { type: 'boolean', default: false },
    /** Every nth pair, from `offset` on: all of them in as many runs. */
    stride: { type: 'string', default: '1' },
    offset: { type: 'string', default: '0' },
    workers: { type: 'string', default: String(availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
});
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const startedMs = performance.now();

if (values.seed !== undefined) await tellAgain(drawStory(values.seed));
else if (values.story !== undefined) await tellAgain(JSON.parse(values.story) as Story);
else if (values.sweep || values.pairs) {
  const { mishaps: firsts, crossed } = await singles();
  const stride = Number(values.stride);
  const stories = values.pairs
    ? pairs(firsts, stride, Number(values.offset))
    : firsts.map((mishap) => swept([mishap]));
  await many(stories, values.pairs ? null : firsts.length, (tally) =>
    values.pairs
      ? []
      : crossed.filter((call) => !tally.died.includes(call)).map((call) => `nobody died at ${call}`),
  );
} else {
  const [from = 1, to = from] = (values.seeds ?? '1..200').split('..').map(Number);
  const seeds = Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
  await many(seeds, seeds.length, missingIn);
}

async function many(
  stories: Iterable<string | Story>,
  count: number | null,
  missing: (tally: Tally) => readonly string[],
): Promise<void> {
  let toldMs = 0;
  const onChunk = (sofar: Tally): void => {
    if (performance.now() - toldMs < 2_000) return;
    toldMs = performance.now();
    const of = count === null ? '' : ` of ${count}`;
    say(`${sofar.nights}${of} nights, ${sofar.units} units, ${sofar.failures.length} of them went wrong`);
  };
  const tally = await liveThroughAll(stories, { workers: Number(values.workers), failuresMax: 20, onChunk });
  const vacuous = missing(tally);
  const seconds = (performance.now() - startedMs) / 1000;
  if (values.json) process.stdout.write(`${JSON.stringify({ ...tally, vacuous, seconds })}\n`);
  for (const failure of tally.failures.slice(0, 3)) await explain(failure);
  for (const what of vacuous) say(`✗ V1: ${what}`);
  const hours = (tally.simulatedMs / 3_600_000).toFixed(1);
  const struck = Object.values(tally.struck).reduce((sum, times) => sum + times, 0);
  say(
    `${tally.nights} nights of ${hours} simulated hours with ${tally.units} units, ${struck} mishaps and ${tally.starts} starts in ${seconds.toFixed(0)} s: ${tally.failures.length} went wrong`,
  );
  process.exitCode = tally.failures.length + vacuous.length === 0 ? 0 : 1;
}

async function explain({ story, violations }: Failure): Promise<void> {
  const [first] = violations;
  if (first === undefined) return;
  say(`\n✗ seed ${story.seed}: ${first.rule} at ${Math.round(first.atMs)} ms: ${first.text}`);
  say(`  ${first.rule}: ${rules.find(({ name }) => name === first.rule)?.says}`);
  const short = await shrunk(story, first.rule);
  say(
    `  again: npm run simulate -- ${story.seed === 'sweep' ? `--story '${JSON.stringify(story)}'` : `--seed ${story.seed}`}`,
  );
  say(`  shortest: npm run simulate -- --story '${JSON.stringify(short)}'`);
}

async function tellAgain(story: Story): Promise<void> {
  const report = await liveThrough(story);
  if (values.json) process.stdout.write(`${JSON.stringify({ story, report })}\n`);
  say(`${story.units} units, ${story.stations} stations, calm from ${story.calmMs} ms`);
  for (const mishap of story.mishaps) say(`  ${JSON.stringify(mishap)}`);
  for (const { rule, atMs, text } of report.violations) say(`✗ ${rule} at ${Math.round(atMs)} ms: ${text}`);
  say(
    `${report.released} released, ${report.rejected} rejected; held or ended with ${report.faults.join(', ') || 'nothing'}`,
  );
  say(`history ${report.history}`);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}
