/** What leaves of the fleet log say of units: one event for each leaf that changes or tells a credential. */
import { z } from 'zod';
import { type LeafText, readLeaf } from '../log/leaf.ts';
import type { LeafRow } from '../store/fleet.ts';
import { type Injection, injectionForm } from './injection.ts';
import { type LifeAct, type LifeState, lifeActs, lifeStates } from './life.ts';

/** Where an event stands in the log, and when the backend wrote it. */
export interface Placed {
  readonly leafIndex: number;
  /** ISO 8601. */
  readonly at: string;
}

export interface Injected extends Placed {
  readonly kind: 'injected';
  readonly injection: Injection;
}

/** A verdict on the card, or a chip that was sent away on its claim alone. */
export interface Rejected extends Placed {
  readonly kind: 'rejected';
  readonly operation: string;
  readonly eid: string | null;
  /** As in core/operation/rejection-effect.ts. */
  readonly effect: 'closes' | 'disowns' | 'leaves';
  readonly faultCode: string;
  readonly station: string;
  readonly generation: number | null;
  /** Key sets that may be on the chip. */
  readonly keyVersions: readonly number[];
  /** Certificates that may be on it. */
  readonly certificateSerials: readonly string[];
}

/** The gate controller saw the unit leave. */
export interface Departed extends Placed {
  readonly kind: 'departed';
  readonly operation: string;
  readonly eid: string;
  readonly lane: 'good' | 'reject';
}

/** The EID or the chip was shown once more. */
export interface Appeared extends Placed {
  readonly kind: 'appeared';
  readonly appearance: string;
  readonly eid: string;
  readonly station: string;
  readonly operation: string;
  readonly faultCode: string | null;
}

export interface Lived extends Placed {
  readonly kind: 'lived';
  readonly eid: string;
  readonly act: LifeAct;
  readonly to: LifeState;
  /** Leaf of the event before it in the unit’s life. */
  readonly predecessor: number | null;
  readonly reason: string;
}

/** Certificates, by themselves or with their intermediate. */
export interface Revoked extends Placed {
  readonly kind: 'revoked';
  readonly plan: string;
  readonly reason: string;
  readonly serials: readonly string[];
  readonly issuers: readonly string[];
}

export type UnitEvent = Injected | Rejected | Departed | Appeared | Lived | Revoked;

const rejectionBody = z.object({
  operation: z.string(),
  eid: z.string().nullable(),
  effect: z.enum(['closes', 'disowns', 'leaves']).default('leaves'),
  station: z.string(),
  fault: z.object({ code: z.string() }),
  revocation: z.object({
    generation: z.int().nullable(),
    keyVersions: z.array(z.int()),
    certificateSerials: z.array(z.string()),
  }),
});
const departureBody = z.object({
  departure: z.object({ operation: z.string(), eid: z.string(), lane: z.enum(['good', 'reject']) }),
});
const appearanceBody = z.object({
  appearance: z.string(),
  eid: z.string(),
  station: z.string(),
  fault: z.string().nullable(),
  known: z.object({ operation: z.string() }),
});
const lifeBody = z.object({
  eid: z.string(),
  act: z.enum(lifeActs),
  to: z.enum(lifeStates),
  predecessor: z.int().nullable(),
  reason: z.string(),
});
const revocationBody = z.object({
  plan: z.string(),
  reason: z.string(),
  intermediates: z.array(z.object({ name: z.string() })),
  certificates: z.array(z.object({ serial: z.string() })),
});

/** Null for a leaf that is about no unit, and for one that is not understood. */
export function unitEventOf({ index, entry }: Pick<LeafRow, 'index' | 'entry'>): UnitEvent | null {
  const said = readLeaf(entry);
  return said === null ? null : eventIn(said, { leafIndex: index, at: said.at });
}

function eventIn({ kind, body }: LeafText, placed: Placed): UnitEvent | null {
  switch (kind) {
    case 'registration':
    case 'confirmation': {
      const injection = injectionForm.safeParse(body).data;
      return injection === undefined ? null : { kind: 'injected', ...placed, injection };
    }
    case 'rejection': {
      const read = rejectionBody.safeParse(body).data;
      if (read === undefined) return null;
      const { fault, revocation, ...rest } = read;
      return { kind: 'rejected', ...placed, ...rest, ...revocation, faultCode: fault.code };
    }
    case 'station-event': {
      const read = departureBody.safeParse(body).data;
      return read === undefined ? null : { kind: 'departed', ...placed, ...read.departure };
    }
    case 'appearance': {
      const read = appearanceBody.safeParse(body).data;
      if (read === undefined) return null;
      const { fault, known, ...rest } = read;
      return { kind: 'appeared', ...placed, ...rest, operation: known.operation, faultCode: fault };
    }
    case 'unit-life': {
      const read = lifeBody.safeParse(body).data;
      return read === undefined ? null : { kind: 'lived', ...placed, ...read };
    }
    case 'revocation': {
      const read = revocationBody.safeParse(body).data;
      if (read === undefined) return null;
      const { plan, reason, intermediates, certificates } = read;
      const serials = certificates.map(({ serial }) => serial);
      return { kind: 'revoked', ...placed, plan, reason, serials, issuers: intermediates.map((i) => i.name) };
    }
    default:
      return null;
  }
}
