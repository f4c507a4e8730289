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
  TICKET_CLOSED: {
    title: 'The production ticket is closed',
    cause: 'Its batch was counted and closed: no unit is begun or resumed under it.',
    remedy: 'Load the ticket of the next order and start the station again. The unit stays until then.',
    disposition: 'hold',
    blame: 'outside',
  },
  COUNTS_DIFFER: {
    title: 'The counts of the production ticket do not agree',
    cause: 'What the gateway did and what the backend has of the unit named here are not the same.',
    remedy: 'Check what became of the unit named here, and close the ticket when both agree.',
    disposition: 'hold',
    blame: 'outside',
  },
  CLOSE_OUT_REFUSED: {
    title: 'The production ticket cannot be closed with this',
    cause:
      'The counts of the gateway are not complete, not of this hour or of another ticket, or nothing was made under it.',
    remedy: 'Bring new counts from the gateway, made with holdfast ticket counts, and try again with them.',
    disposition: 'hold',
    blame: 'outside',
  },
  RATE_EXCEEDED: {
    title: 'Units come faster than the order allows',
    cause: 'More units were reserved than a fifth above the takt of the ticket, over all its stations.',
    remedy:
      'Nothing: the unit goes on by itself at the time named here. If this lasts, the takt of the order is wrong.',
    disposition: 'retry',
    blame: 'outside',
  },
  NEST_OCCUPIED: {
    title: 'Another unit is being worked on in this nest',
    cause: 'The chip in the nest changed, and the gate controller has not seen the former unit leave.',
    remedy: 'Take the unit out of the nest, so that the gate controller sees it leave, and put it in again.',
    disposition: 'hold',
    blame: 'outside',
  },
} as const satisfies Record<string, FaultDefinition>;
