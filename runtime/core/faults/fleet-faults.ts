import type { FaultDefinition } from '../faults.ts';

/** Faults of the fleet’s memory: what is asked of it, and what is to be done with a unit. */
export const faultsOfFleet = {
  HISTORY_TOO_LONG: {
    title: 'More is recorded of this than can be shown at once',
    cause: 'A unit was shown again and again, or the question covers more units than one plan may.',
    remedy: 'Ask for less: a shorter time with --from and --to, or one station.',
    disposition: 'hold',
    blame: 'outside',
  },
} as const satisfies Record<string, FaultDefinition>;
