/** Rows for the tests of the fleet store: each call gives one that collides with no other. */
import type {
  AppearanceRow,
  ControllerRow,
  EventRow,
  FleetTransaction,
  LeafRow,
  OperationRow,
  RecordRow,
  RejectionRow,
  ReleaseRow,
} from '../../runtime/core/store/fleet.ts';

let counter = 0;

/** A rate that nothing exceeds. */
export const anyRate = { nowUs: 1_000_000, unitUs: 1, depthUs: 1_000_000 } as const;

/** Takes a unit of a ticket for an operation that nobody else has. */
export async function takeOne(tx: FleetTransaction, ticket: string, quota: number): Promise<boolean> {
  const unit = { ticket, operation: unique('op'), eid: unique('eid') };
  return (await tx.takeUnit(unit, { quota, rate: anyRate })).taken;
}

export function unique(prefix: string): string {
  return `${prefix}${(++counter).toString().padStart(6, '0')}`;
}

export function operation(): OperationRow {
  return {
    operation: unique('op'),
    eid: unique('eid'),
    seFingerprint: unique('fp'),
    ticket: 'T-1',
    ticketHash: 'aa',
    station: 's1',
    nest: 'n1',
    epoch: 1,
    attempt: 'try',
    generation: 1,
    keyVersion: 0x30,
    state: 'reserved',
    reservedAt: '2026-11-22T10:00:00.000Z',
    attemptedAt: '2026-11-22T10:00:00.000Z',
  };
}

export function record(leafIndex: number, of: { operation: string; eid: string } = operation()): RecordRow {
  return {
    operation: of.operation,
    eid: of.eid,
    certificateSerial: unique('serial'),
    publicKeyHash: unique('key'),
    record: Uint8Array.of(0, 1, 92, 120, 255),
    recordHash: 'bb',
    leafIndex,
  };
}

export function rejection(leafIndex: number): RejectionRow {
  return {
    visit: unique('visit'),
    operation: unique('op'),
    eid: unique('eid'),
    faultCode: 'CARD_CRYPTOGRAM_MISMATCH',
    entry: Uint8Array.of(123, 125),
    leafIndex,
  };
}

export function appearance(leafIndex: number): AppearanceRow {
  return {
    key: unique('appearance/gate-1/4/clone/'),
    appearance: 'clone',
    eid: unique('eid'),
    seFingerprint: unique('fp'),
    operation: unique('op'),
    faultCode: 'UNIT_CLONED',
    at: '2026-11-22T10:00:00.000Z',
    entry: Uint8Array.of(123, 125),
    leafIndex,
  };
}

/** A controller of which nothing is known. */
export function controller(name: string): ControllerRow {
  return { controller: name, arrival: 0, obeyed: 0, leftArrival: 0, leftCounter: 0, issued: 0 };
}

export function release(name: string, count: number, id: string): ReleaseRow {
  return { controller: name, counter: count, nest: 'n1', lane: 'good', operation: id, epoch: 1, arrival: 4 };
}

export function event(journal: string, sequence: number, text: string): EventRow {
  const receivedAt = `2026-11-22T10:00:0${sequence}.000Z`;
  return { station: 's1', journal, sequence, hash: `hash ${sequence}`, text, receivedAt };
}

export function leaf(index: number): LeafRow {
  return {
    index,
    key: `leaf/${index}`,
    hash: Uint8Array.of(index & 255),
    entry: Uint8Array.of(0, index & 255),
  };
}
