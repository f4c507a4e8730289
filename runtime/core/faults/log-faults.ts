import type { FaultDefinition } from '../faults.ts';

/** Faults of what readers, witnesses and customers hold of the fleet log. */
export const faultsOfLog = {
  LEAF_TOO_LARGE: {
    title: 'An event is too large for the fleet log',
    cause: 'It names more units than fit into one leaf of 65,535 bytes.',
    remedy: 'Use fewer units at a time.',
    disposition: 'hold',
    blame: 'own',
  },
  LOG_EXPORT_INVALID: {
    title: 'The export of the fleet log is not what was signed',
    cause: 'An entry or a tile was changed, dropped or not copied, at the place that is named here.',
    remedy:
      'Take the export again and compare. If the new one fails at the same place, tell the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
} as const satisfies Record<string, FaultDefinition>;
