/** Judges many images, and counts what became of them. */
import { join } from 'node:path';
import type { SimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import type { Image, Ordering } from './images.ts';
import { judgeImage } from './judge.ts';

export interface CrashReport {
  readonly ordering: Ordering;
  /** How many different disks there are. */
  readonly images: number;
  /** How many of them were opened. */
  readonly opened: number;
  /** How many of those had an entry on them that somebody was told of. */
  readonly told: number;
  readonly whole: number;
  readonly unfinished: number;
  readonly refused: number;
  readonly lost: number;
  /** How often what was refused, or was missing. */
  readonly whys: Readonly<Record<string, number>>;
}

/** @param max how many are opened; with fewer than there are, `entropy` draws them */
export async function judgeAll(
  images: readonly Image[],
  options: {
    readonly directory: string;
    readonly ordering: Ordering;
    readonly max: number;
    readonly entropy: SimulatedEntropy;
    readonly onProgress?: (done: number, all: number) => void;
  },
): Promise<CrashReport> {
  const drawn = draw(images, options.max, options.entropy);
  const counts = { whole: 0, unfinished: 0, refused: 0, lost: 0 };
  const told = drawn.filter(({ said }) => said.some((line) => line.startsWith('durable'))).length;
  const whys: Record<string, number> = {};
  for (const [i, image] of drawn.entries()) {
    const { verdict, why } = await judgeImage(image, join(options.directory, 'image'));
    counts[verdict] += 1;
    if (verdict === 'refused' || verdict === 'lost') whys[why] = (whys[why] ?? 0) + 1;
    options.onProgress?.(i + 1, drawn.length);
  }
  return { ordering: options.ordering, images: images.length, opened: drawn.length, told, ...counts, whys };
}

function draw(images: readonly Image[], count: number, entropy: SimulatedEntropy): readonly Image[] {
  if (count >= images.length) return images;
  const left = [...images];
  return Array.from({ length: count }, () =>
    left.splice(Math.floor(entropy.fraction() * left.length), 1),
  ).flat();
}
