/** One process of the crew: lives through the nights it is given, one after the other, and tells their sum. */
import type { Chunk } from './crew.ts';
import { liveThrough } from './night.ts';
import { drawStory } from './story.ts';
import { added, nothing, type Tally, tallyOf } from './tally.ts';

async function together(chunk: Chunk): Promise<Tally> {
  let sum = nothing;
  for (const told of chunk) {
    const story = typeof told === 'string' ? drawStory(told) : told;
    sum = added(sum, tallyOf(story, await liveThrough(story)));
  }
  return sum;
}

// Nothing more is wanted, or nobody is left to tell.
process.on('disconnect', () => process.exit(0));
process.on('message', (chunk: Chunk) => {
  void together(chunk).then((tally) => process.send?.(tally));
});
