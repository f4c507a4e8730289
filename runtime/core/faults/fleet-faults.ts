import type { FaultDefinition } from '../faults.ts';

/** Faults of the fleet’s memory: what is asked of it, and what is to be done with a unit. */
export const faultsOfFleet = {
  LIFE_REFUSED: {
    title: 'This cannot be done to the unit',
    cause:
      'The unit is not in a state from which this may follow, or something was done to it since the order was made.',
    remedy: 'Check the unit with holdfast fleet state, and make a new order for what it is now.',
    disposition: 'hold',
    blame: 'outside',
  },
  UNIT_SET_ASIDE: {
    title: 'Officers have set this unit aside',
    cause: 'It is in quarantine or at rework, came back from a customer, is revoked, scrapped or retired.',
    remedy:
      'Take the unit out of the line and to the quality station. Only officers can release it from quarantine.',
    disposition: 'hold',
    blame: 'outside',
  },
  HISTORY_TOO_LONG: {
    title: 'More is recorded of this than can be shown at once',
    cause: 'A unit was shown again and again, or the question covers more units than one plan may.',
    remedy: 'Use a shorter time with --from and --to, or ask about one station.',
    disposition: 'hold',
    blame: 'outside',
  },
} as const satisfies Record<string, FaultDefinition>;
