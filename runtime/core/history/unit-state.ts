/**
 * The state of every credential of one unit, rebuilt by replaying what the fleet log says of it up to some leaf: key
 * sets, transport set, certificates, who held it, and its life. Each part names the leaf that it follows from.
 */
import type { LifeState } from './life.ts';
import { finalStates } from './life.ts';
import type { Injected, Lived, Placed, Rejected, Revoked, UnitEvent } from './unit-event.ts';

export interface KeySetState extends Placed {
  readonly operation: string;
  readonly keyVersion: number;
  /** Of the master; null where an older leaf does not say it. */
  readonly generation: number | null;
  readonly scheme: string | null;
  readonly algorithm: string | null;
  /** Of K-ENC, K-MAC, K-DEK; null for a set that was never proved. */
  readonly checkValues: readonly string[] | null;
  /** `unproved`: it may be on the chip. `replaced`: the chip proved another set as its only one. */
  readonly standing: 'proved' | 'unproved' | 'replaced' | 'destroyed';
  /** A reject listed it for revocation. */
  readonly listed: boolean;
}

export interface TransportState extends Placed {
  readonly keyVersion: number;
  readonly scheme: string;
  /** Who else knew these keys. */
  readonly class: string;
  readonly standing: 'deleted' | 'present';
}

export interface CertificateState extends Placed {
  readonly serial: string;
  readonly operation: string;
  /** The rest is null for a certificate of a rejected unit, of which the log has the serial alone. */
  readonly sha256: string | null;
  readonly issuer: string | null;
  readonly issuerKeyId: string | null;
  readonly publicKeyHash: string | null;
  /** `listed`: a reject listed it for revocation, and it was never registered. */
  readonly standing: 'good' | 'listed' | 'revoked';
  readonly revocation: (Placed & { readonly plan: string; readonly reason: string }) | null;
}

/** One confirmation: who put the keys there, where, under which order. */
export interface CustodyState extends Placed {
  readonly operation: string;
  readonly epoch: number;
  readonly station: string;
  readonly nest: string | null;
  readonly stationSoftware: string | null;
  readonly gateway: string | null;
  readonly operator: string | null;
  readonly ticket: string | null;
  readonly confirmationHash: string;
}

export interface LifePart extends Placed {
  readonly state: LifeState;
  readonly reason: string;
  /** Leaf of the event before it; null for the first. */
  readonly predecessor: number | null;
}

export interface UnitState {
  readonly eid: string;
  readonly seFingerprint: string | null;
  /** Null while nothing was recorded of it. */
  readonly life: LifePart | null;
  /** The state in which it was last put into quarantine. */
  readonly before: LifeState | null;
  readonly keySets: readonly KeySetState[];
  readonly transport: TransportState | null;
  readonly certificates: readonly CertificateState[];
  readonly custody: readonly CustodyState[];
  /** Leaves that this follows from, in their order. */
  readonly leaves: readonly number[];
}

/** @param events of any units, in the order of the log */
export function unitStateOf(eid: string, events: Iterable<UnitEvent>): UnitState {
  const fallen: Revoked[] = [];
  let state: UnitState = { ...NOTHING, eid };
  for (const event of events) {
    if (event.kind === 'revoked' && event.issuers.length > 0) fallen.push(event);
    const next = after(state, event, fallen);
    state = next === state ? state : { ...next, leaves: [...state.leaves, event.leafIndex] };
  }
  return state;
}

const NOTHING: Omit<UnitState, 'eid'> = {
  seFingerprint: null,
  life: null,
  before: null,
  keySets: [],
  transport: null,
  certificates: [],
  custody: [],
  leaves: [],
};

/** The same state where the event changes nothing of this unit. */
function after(state: UnitState, event: UnitEvent, fallen: readonly Revoked[]): UnitState {
  switch (event.kind) {
    case 'injected':
      return event.injection.eid === state.eid ? injected(state, event, fallen) : state;
    case 'rejected':
      return event.eid === state.eid && event.effect === 'closes' ? rejected(state, event) : state;
    case 'departed':
      return event.eid === state.eid && event.lane === 'good' ? departed(state, event) : state;
    case 'lived':
      return event.eid === state.eid ? lived(state, event) : state;
    case 'revoked':
      return revoked(state, event);
    case 'appeared':
      return state; // A claim of somebody; what follows from it is an event of its own.
  }
}

function injected(state: UnitState, event: Injected, fallen: readonly Revoked[]): UnitState {
  const { injection, leafIndex, at } = event;
  const placed = { leafIndex, at };
  const { transport, operation } = injection;
  const same = state.keySets.find((set) => set.operation === operation && set.standing === 'proved');
  const others = state.keySets
    .filter((set) => set !== same)
    .map((set) => (set.standing === 'destroyed' ? set : { ...set, standing: 'replaced' as const }));
  const known = injection.keyVersion !== null && same?.keyVersion !== injection.keyVersion;
  const added = known ? [provedSet(event)] : [];
  const kept =
    same === undefined ? [] : [added.length > 0 ? { ...same, standing: 'replaced' as const } : same];
  const next: UnitState = {
    ...state,
    seFingerprint: injection.seFingerprint ?? state.seFingerprint,
    life: state.life ?? { ...placed, state: 'RECORDED', reason: 'registered', predecessor: null },
    keySets: [...others, ...kept, ...added],
    transport:
      transport === null || state.transport !== null
        ? state.transport
        : { ...placed, ...transportPart(transport), standing: transport.deleted ? 'deleted' : 'present' },
    custody: [...state.custody, { ...placed, ...custodyPart(event) }],
  };
  return certified(next, event, fallen);
}

function provedSet({ injection, leafIndex, at }: Injected): KeySetState {
  const { operation, keyVersion, generation, scheme, algorithm, checkValues } = injection;
  const said = { operation, keyVersion: keyVersion ?? 0, generation, scheme, algorithm, checkValues };
  return { leafIndex, at, ...said, standing: 'proved', listed: false };
}

function transportPart({
  keyVersion,
  scheme,
  class: known,
}: NonNullable<Injected['injection']['transport']>) {
  return { keyVersion, scheme, class: known };
}

function custodyPart({ injection }: Injected): Omit<CustodyState, keyof Placed> {
  const { operation, epoch, station, nest, stationSoftware, gateway, operator, ticket, confirmationHash } =
    injection;
  return { operation, epoch, station, nest, stationSoftware, gateway, operator, ticket, confirmationHash };
}

/** With the certificate of the confirmation, once; one of an intermediate that has fallen is born dead. */
function certified(state: UnitState, event: Injected, fallen: readonly Revoked[]): UnitState {
  const { certificate, certificateHash: sha256, operation } = event.injection;
  if (certificate === null || state.certificates.some(({ serial }) => serial === certificate.serial))
    return state;
  const { leafIndex, at } = event;
  const issued: CertificateState = {
    ...{ leafIndex, at, operation, sha256, ...certificate },
    standing: 'good',
    revocation: null,
  };
  const next = { ...state, certificates: [...state.certificates, issued] };
  const by = fallen.find(({ issuers }) => issuers.includes(certificate.issuer));
  return by === undefined ? next : revoked(next, by);
}

function rejected(state: UnitState, event: Rejected): UnitState {
  const { leafIndex, at, operation, generation, faultCode } = event;
  const touched = new Set(event.keyVersions);
  const known = state.keySets.filter((set) => set.operation === operation && touched.has(set.keyVersion));
  const unknown = event.keyVersions.filter((version) => !known.some((set) => set.keyVersion === version));
  const serials = new Set(state.certificates.map(({ serial }) => serial));
  const nothing = { scheme: null, algorithm: null, checkValues: null };
  const bare = { sha256: null, issuer: null, issuerKeyId: null, publicKeyHash: null, revocation: null };
  return {
    ...state,
    life: next(state, 'REJECTED', { leafIndex, at, reason: faultCode }),
    keySets: [
      ...state.keySets.map((set) => (known.includes(set) ? { ...set, listed: true } : set)),
      ...unknown.map((keyVersion) => ({
        ...{ leafIndex, at, operation, keyVersion, generation, ...nothing },
        standing: 'unproved' as const,
        listed: true,
      })),
    ],
    certificates: [
      ...state.certificates,
      ...event.certificateSerials
        .filter((serial) => !serials.has(serial))
        .map((serial) => ({ leafIndex, at, operation, serial, ...bare, standing: 'listed' as const })),
    ],
  };
}

/** A unit that was set aside, and leaves all the same, stays set aside. */
function departed(state: UnitState, placed: Placed): UnitState {
  if (state.life?.state === 'QUARANTINED') return { ...state, before: 'RELEASED' };
  if (state.life?.state !== 'RECORDED') return state;
  return { ...state, life: next(state, 'RELEASED', { ...placed, reason: 'left by the good lane' }) };
}

function lived(state: UnitState, { leafIndex, at, act, to, reason }: Lived): UnitState {
  return {
    ...state,
    life: next(state, to, { leafIndex, at, reason }),
    before:
      (act === 'quarantine' || act === 'rework') && !aside(state)
        ? (state.life?.state ?? null)
        : state.before,
    keySets:
      act === 'scrap' ? state.keySets.map((set) => ({ ...set, standing: 'destroyed' })) : state.keySets,
  };
}

/** At quarantine or the bench already: what it was before that counts. */
function aside({ life }: UnitState): boolean {
  return life?.state === 'QUARANTINED' || life?.state === 'REWORK';
}

function revoked(state: UnitState, event: Revoked): UnitState {
  const { leafIndex, at, plan, reason } = event;
  const hit = state.certificates.filter(
    ({ serial, issuer, revocation }) =>
      revocation === null &&
      (event.serials.includes(serial) || (issuer !== null && event.issuers.includes(issuer))),
  );
  if (hit.length === 0) return state;
  const certificates = state.certificates.map((one) =>
    hit.includes(one)
      ? { ...one, standing: 'revoked' as const, revocation: { leafIndex, at, plan, reason } }
      : one,
  );
  const dead = certificates.every(({ standing }) => standing === 'revoked');
  const stays = state.life === null || finalStates.includes(state.life.state) || !dead;
  return {
    ...state,
    certificates,
    life: stays ? state.life : next(state, 'REVOKED', { leafIndex, at, reason }),
  };
}

function next(
  { life }: UnitState,
  to: LifeState,
  { leafIndex, at, reason }: Placed & { readonly reason: string },
): LifePart {
  return { leafIndex, at, state: to, reason, predecessor: life?.leafIndex ?? null };
}
