import type { FaultDefinition } from '../faults.ts';

/** Faults of production orders. */
export const faultsOfOrders = {
  ORDER_INVALID: {
    title: 'This is not an order that can be approved',
    cause: 'A field is missing or malformed, or two of them contradict each other.',
    remedy: 'Correct the order file where it is named here, and check it again.',
    disposition: 'hold',
    blame: 'outside',
  },
} as const satisfies Record<string, FaultDefinition>;
