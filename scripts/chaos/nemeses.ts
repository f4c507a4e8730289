/** Every misfortune that a round may draw. */
import { diskNemeses } from './nemeses/disks.ts';
import { processNemeses } from './nemeses/processes.ts';
import { trustNemeses } from './nemeses/trust.ts';
import { wireNemeses } from './nemeses/wires.ts';
import type { Nemesis } from './nemesis.ts';

export const nemeses: readonly Nemesis[] = [
  ...processNemeses,
  ...diskNemeses,
  ...wireNemeses,
  ...trustNemeses,
];
