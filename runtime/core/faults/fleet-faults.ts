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
  OPERATOR_UNKNOWN: {
    title: 'Nobody may sign in with this badge',
    cause: 'No operator is registered with this number, or officers have removed the registration.',
    remedy: 'Use the badge again. If it stays so, ask an officer to register it: holdfast operator register.',
    disposition: 'hold',
    blame: 'outside',
  },
  OPERATOR_REFUSED: {
    title: 'This cannot be done with the operator',
    cause: 'The badge is registered already, the pseudonym is not known, or the order was used before.',
    remedy: 'Check holdfast operator list, and have the officers approve what is still to be done.',
    disposition: 'hold',
    blame: 'outside',
  },
  SIGN_IN_BARRED: {
    title: 'Too many unknown badges at this station',
    cause: 'Somebody tries badge numbers, or a scanner reads wrongly.',
    remedy: 'Check who was at the station, and the scanner. Badges are taken again after ten minutes.',
    disposition: 'hold',
    blame: 'outside',
  },
  SHIFT_INVALID: {
    title: 'The receipt of the shift is not good',
    cause: 'The backend did not sign it, or it belongs to another station.',
    remedy:
      'Use operator sign-out and sign-in at this station. If it comes again, have the station examined.',
    disposition: 'hold',
    blame: 'own',
  },
} as const satisfies Record<string, FaultDefinition>;
