/** Makes a story that goes wrong as short as it can be told: whatever may be left out is left out. */
import { liveThrough } from './night.ts';
import type { Story } from './story.ts';

/** Nights that the shrinking may cost. */
const NIGHTS_MAX = 400;

/** @param rule what must still go wrong */
export async function shrunk(story: Story, rule: string): Promise<Story> {
  let shortest = story;
  let nights = 0;
  const wrong = async (candidate: Story): Promise<boolean> => {
    if (++nights > NIGHTS_MAX) return false;
    const { violations } = await liveThrough(candidate);
    return violations.some((violation) => violation.rule === rule);
  };
  for (let shorter = true; shorter; ) {
    shorter = false;
    for (const candidate of shorterThan(shortest)) {
      if (!(await wrong(candidate))) continue;
      shortest = candidate;
      shorter = true;
      break;
    }
  }
  return shortest;
}

/** Each is simpler in one thing, the greatest first. */
function* shorterThan(story: Story): Generator<Story> {
  const { mishaps, weather, fates, units, stations } = story;
  const half = Math.ceil(mishaps.length / 2);
  if (mishaps.length > 2) {
    yield { ...story, mishaps: mishaps.slice(0, half) };
    yield { ...story, mishaps: mishaps.slice(half) };
  }
  for (const [i] of mishaps.entries()) yield { ...story, mishaps: mishaps.filter((_, k) => k !== i) };
  if (weather.lossRate + weather.duplicateRate > 0 || weather.delayMs.max > 4)
    yield { ...story, weather: { lossRate: 0, duplicateRate: 0, delayMs: { min: 1, max: 4 } } };
  if (fates.repeat + fates.fail + fates.loseAnswer + fates.delayMsMax > 0)
    yield { ...story, fates: { repeat: 0, fail: 0, loseAnswer: 0, delayMsMax: 0 } };
  if (Object.keys(story.liars).length > 0) yield { ...story, liars: {} };
  if (units > 1) yield { ...story, units: units - 1 };
  if (stations > 1) yield { ...story, stations: stations - 1 };
}
