/**
 * What the station's journal holds: one fact per row of the operation, past fsync before anything follows
 * from it. No key, no PIN, no APDU: hashes, receipts and names only.
 */
import type { FaultNote } from '../faults.ts';
import type { ControllerReport, GateKind, Release } from '../gate/release.ts';
import type { EntryMark } from '../journal/entry.ts';
import type { Counters } from './counters.ts';

/** The stay of a unit in a nest, from an arrival to its end. */
interface OfVisit {
  readonly nest: string;
  /** UUIDv7 of the visit. */
  readonly visit: string;
}

export type Fact =
  | (OfVisit & { readonly name: 'arrived'; readonly arrival: number; readonly report: ControllerReport })
  | (OfVisit & { readonly name: 'clamped' })
  | (OfVisit & { readonly name: 'identified'; readonly identity: CardIdentity })
  /** `receipt`: the backend's signed reservation, compact JWS. */
  | (OfVisit & { readonly name: 'reserved'; readonly receipt: string })
  /** SHA-256 of the APDU list that is about to be played. */
  | (OfVisit & { readonly name: 'intent'; readonly step: string; readonly listHash: string })
  /** `receipt`: the gateway's signed confirmation, compact JWS. */
  | (OfVisit & { readonly name: 'confirmed'; readonly receipt: string })
  /** `receipt`: the backend's signed registration, compact JWS. */
  | (OfVisit & { readonly name: 'registered'; readonly receipt: string })
  | (OfVisit & { readonly name: 'release-intent'; readonly release: Release })
  | (OfVisit & { readonly name: 'released'; readonly report: ControllerReport })
  /** `verdict`: the gateway's signed verdict, or null where the station itself judged before any key was used. */
  | (OfVisit & { readonly name: 'reject-intent'; readonly fault: FaultNote; readonly verdict: string | null })
  | (OfVisit & { readonly name: 'reject-registered'; readonly receipt: string })
  | (OfVisit & { readonly name: 'diverted'; readonly report: ControllerReport })
  | (OfVisit & { readonly name: 'held'; readonly fault: FaultNote })
  | (OfVisit & { readonly name: 'resumed' })
  /** The arrival ended without the unit leaving by a lane: taken by hand, or the gate closed on it. */
  | (OfVisit & { readonly name: 'interrupted'; readonly report: ControllerReport })
  /** The program started: version, the operator or named authority in charge, and what stands at the gate. */
  | {
      readonly name: 'started';
      readonly nest: null;
      readonly version: string;
      readonly authority: string;
      readonly gate?: GateKind;
    }
  /** `receipt`: of the shift that begins, as the backend signed it. It names a pseudonym. */
  | { readonly name: 'signed-in'; readonly nest: null; readonly receipt: string }
  /** The authority is in charge from here on, or whoever signed in. `shift` is null where its receipt was not believed. */
  | {
      readonly name: 'signed-out';
      readonly nest: null;
      readonly shift: string | null;
      readonly by: 'sign-out' | 'sign-in' | 'end';
    }
  /** Entries up to this one, which the backend has, are to be given up; what later entries are judged by is kept here. */
  | {
      readonly name: 'cut';
      readonly nest: null;
      readonly upTo: EntryMark;
      /** Of each nest, up to there. */
      readonly counters: Readonly<Record<string, Counters>>;
      /** The largest checkpoint of the fleet log that this station has verified, as it was signed; null before the first. */
      readonly checkpoint: string | null;
      /** Receipt of the shift that goes on as this is written. */
      readonly shift?: string;
    };

export type FactName = Fact['name'];

/** What a secure element says of itself before any key is used: a claim, not a proof. */
export interface CardIdentity {
  /** 32 decimal digits. */
  readonly eid: string;
  /** SHA-256 over CPLC, IIN, CIN and ATR; hexadecimal. */
  readonly seFingerprint: string;
  readonly atr: string;
  /** Key versions that the key template lists. */
  readonly keyVersions: readonly number[];
}
