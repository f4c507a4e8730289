/**
 * Judges the receipts of one attempt: each verifies, and all name this unit, this arrival, this log. What
 * the station believes before it asks the gate controller for anything.
 */
import { type Bytes, fromBase64, fromHex, toHex } from '../bytes.ts';
import type { CardProfile } from '../card/profile.ts';
import { brokenPromise } from '../card/promises.ts';
import { Fault } from '../faults.ts';
import type { GateKind, Lane, Release } from '../gate/release.ts';
import { type Checkpoint, openCheckpoint } from '../log/checkpoint.ts';
import { type LeafText, readLeaf } from '../log/leaf.ts';
import type { NoteKey } from '../log/note.ts';
import { leafHash, verifyConsistency, verifyInclusion } from '../log/tree.ts';
import { hashOf, open, type TrustedKey } from '../messages/envelope.ts';
import {
  type Confirmation,
  confirmation,
  type Registration,
  type Rejection,
  type Reservation,
  registration,
  rejection,
  reservation,
} from '../messages/receipts.ts';
import type { Crypto } from '../ports.ts';
import type { CardIdentity, Fact, FactName } from './facts.ts';

/** Of a checkpoint that contradicts the known one: what a fault's context holds. */
const EVIDENCE_LENGTH_MAX = 512;

/** What the judging program knows by itself. */
export interface Judgement {
  readonly station: string;
  readonly nest: string;
  readonly controller: string;
  /** Of the station's ticket; null for a profile that this version does not know. */
  readonly cardProfile: CardProfile | null;
  /** What stands at this station's gate. */
  readonly gate: GateKind;
  readonly trusted: readonly TrustedKey[];
  readonly logKey: NoteKey;
  readonly crypto: Crypto;
  /** The largest checkpoint this station verified before; null at the very beginning. */
  readonly known: Checkpoint | null;
}

/** @throws Fault RECEIPT_INVALID, ENVELOPE_INVALID */
export function judgeReservation(jws: string, identity: CardIdentity, by: Judgement): Reservation {
  const { payload } = open(reservation, jws, by.trusted, by.crypto);
  demand(
    payload.station === by.station && payload.nest === by.nest,
    'reservation is for another station or nest',
  );
  demand(payload.eid === identity.eid, 'reservation names another EID');
  demand(payload.seFingerprint === identity.seFingerprint, 'reservation names another secure element');
  return payload;
}

/** `transcriptHash`: of the dialogue as this station played it; null where only the receipt is at hand.
 * @throws Fault RECEIPT_INVALID, ENVELOPE_INVALID */
export function judgeConfirmation(
  jws: string,
  reserved: Reservation,
  transcriptHash: string | null,
  by: Judgement,
): Confirmation {
  const { payload } = open(confirmation, jws, by.trusted, by.crypto);
  demand(payload.operation === reserved.operation, 'confirmation is for another operation');
  demand(payload.ticket === reserved.ticket, 'confirmation is for another ticket');
  demand(
    payload.keys.generation === reserved.generation && payload.keys.keyVersion === reserved.keyVersion,
    'confirmation speaks of another key set',
  );
  demand(payload.epoch === reserved.epoch, 'confirmation is for another epoch');
  demand(payload.eid === reserved.eid, 'confirmation names another EID');
  demand(payload.seFingerprint === reserved.seFingerprint, 'confirmation names another secure element');
  demand(
    payload.station === by.station && payload.nest === by.nest,
    'confirmation is for another station or nest',
  );
  demand(
    transcriptHash === null || payload.transcriptHash === transcriptHash,
    'confirmation speaks of another dialogue',
  );
  const { cardProfile: profile } = by;
  const broken = profile === null ? 'the card profile is not known' : brokenPromise(payload, profile);
  demand(broken === null, `confirmation says too little: ${broken}`);
  return payload;
}

/** What a registration must be about. */
export interface RegistrationSubject {
  readonly confirmed: Confirmation;
  /** SHA-256 of the confirmation as signed, hexadecimal. */
  readonly confirmationHash: string;
  readonly arrival: number;
}

/** @throws Fault RECEIPT_INVALID, ENVELOPE_INVALID, LOG_FORKED */
export function judgeRegistration(jws: string, about: RegistrationSubject, by: Judgement): Registration {
  const { payload } = open(registration, jws, by.trusted, by.crypto);
  const { confirmed } = about;
  demand(payload.operation === confirmed.operation, 'registration is for another operation');
  demand(payload.epoch === confirmed.epoch, 'registration is for another epoch');
  demand(payload.eid === confirmed.eid, 'registration names another EID');
  demand(payload.seFingerprint === confirmed.seFingerprint, 'registration names another secure element');
  demand(payload.transcriptHash === confirmed.transcriptHash, 'registration speaks of another dialogue');
  demand(
    payload.station === by.station && payload.nest === by.nest,
    'registration is for another station or nest',
  );
  const { operation, epoch } = payload;
  judgeRelease(payload.release, { operation, epoch, lane: 'good', arrival: about.arrival }, by);
  const leaf = judgeLog(payload, by);
  demand(leaf.kind === 'registration' || leaf.kind === 'confirmation', 'leaf is of another kind');
  const named = { ...leaf.body };
  demand(
    named.operation === operation && named.epoch === epoch && named.eid === payload.eid,
    'leaf is about another unit',
  );
  demand(named.confirmationHash === about.confirmationHash, 'leaf is about another confirmation');
  demand(named.recordHash === payload.recordHash, 'leaf is about another record');
  return payload;
}

/** What a reject receipt must be about. */
export interface RejectionSubject {
  readonly visit: string;
  readonly arrival: number;
  readonly eid: string | null;
  readonly faultCode: string;
}

/** @throws Fault RECEIPT_INVALID, ENVELOPE_INVALID, LOG_FORKED */
export function judgeRejection(jws: string, about: RejectionSubject, by: Judgement): Rejection {
  const { payload } = open(rejection, jws, by.trusted, by.crypto);
  demand(payload.visit === about.visit, 'reject receipt is for another visit');
  demand(payload.eid === about.eid, 'reject receipt names another EID');
  demand(payload.fault.code === about.faultCode, 'reject receipt names another verdict');
  demand(
    payload.station === by.station && payload.nest === by.nest,
    'reject receipt is for another station or nest',
  );
  const { epoch } = payload.release;
  judgeRelease(
    payload.release,
    { operation: payload.operation, epoch, lane: 'reject', arrival: about.arrival },
    by,
  );
  const leaf = judgeLog(payload, by);
  demand(leaf.kind === 'rejection', 'leaf is of another kind');
  demand(
    leaf.body.visit === about.visit &&
      leaf.body.operation === payload.operation &&
      leaf.body.eid === about.eid,
    'leaf is about another unit',
  );
  return payload;
}

export type AttemptVerdict =
  | { readonly convinced: true; readonly release: Release }
  | { readonly convinced: false; readonly problems: readonly string[] };

/** Judges all receipts among the facts of one attempt, for the gate. */
export function judgeAttempt(facts: readonly Fact[], arrival: number, by: Judgement): AttemptVerdict {
  try {
    const identity = factOf(facts, 'identified')?.identity;
    const reserved = factOf(facts, 'reserved');
    const confirmed = factOf(facts, 'confirmed');
    const registered = factOf(facts, 'registered');
    if (!identity || !reserved || !confirmed || !registered)
      return { convinced: false, problems: ['a receipt is missing'] };
    const first = judgeReservation(reserved.receipt, identity, by);
    const second = judgeConfirmation(confirmed.receipt, first, null, by);
    const confirmationHash = hashOf(confirmed.receipt, by.crypto);
    const about = { confirmed: second, confirmationHash, arrival };
    return { convinced: true, release: judgeRegistration(registered.receipt, about, by).release };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { convinced: false, problems: [`${error.code} ${JSON.stringify(error.context)}`] };
  }
}

/** The last fact of a name. */
export function factOf<N extends FactName>(
  facts: readonly Fact[],
  name: N,
): Extract<Fact, { name: N }> | undefined {
  return facts.findLast((fact): fact is Extract<Fact, { name: N }> => fact.name === name);
}

function judgeRelease(
  release: Release,
  expected: { operation: string; epoch: number; lane: Lane; arrival: number },
  by: Judgement,
): void {
  demand(release.controller === by.controller && release.nest === by.nest, 'release is for another gate');
  demand(
    release.operation === expected.operation && release.epoch === expected.epoch,
    'release is for another operation',
  );
  demand(release.lane === expected.lane, 'release is for another lane');
  demand(release.arrival === expected.arrival, 'release is for another arrival');
  demand((release.tag === null) === (by.gate === 'plain-firmata'), 'release is for another kind of gate');
}

interface InLog {
  readonly checkpoint: string;
  readonly leafIndex: number;
  readonly leaf: string;
  readonly inclusionProof: readonly string[];
  readonly consistencyProof: readonly string[];
  readonly knownTreeSize: number;
}

/** Inclusion of the leaf, and that the log only grew since this station last looked; answers what the leaf says. */
function judgeLog(receipt: InLog, by: Judgement): LeafText {
  const entry = bytesOf(receipt.leaf);
  const checkpoint = openCheckpoint(receipt.checkpoint, by.logKey, by.crypto);
  if (checkpoint === null)
    throw new Fault('RECEIPT_INVALID', { why: 'checkpoint is not signed by the fleet log' });
  const included = verifyInclusion(
    {
      index: receipt.leafIndex,
      size: checkpoint.size,
      leaf: leafHash(entry, by.crypto.sha256),
      proof: receipt.inclusionProof.map(fromHex),
      root: checkpoint.root,
    },
    by.crypto.sha256,
  );
  demand(included, 'leaf is not in the log');
  const text = readLeaf(entry);
  if (text === null) throw new Fault('RECEIPT_INVALID', { why: 'leaf is not one of ours' });
  if (by.known === null || by.known.size === 0) return text;
  demand(receipt.knownTreeSize === by.known.size, 'consistency is proved from another size');
  const consistent = verifyConsistency(
    {
      first: by.known.size,
      second: checkpoint.size,
      firstRoot: by.known.root,
      secondRoot: checkpoint.root,
      proof: receipt.consistencyProof.map(fromHex),
    },
    by.crypto.sha256,
  );
  // The signed checkpoint goes into the journal with the hold; the known one is there in an earlier receipt.
  if (!consistent)
    throw new Fault('LOG_FORKED', {
      size: checkpoint.size,
      known: by.known.size,
      knownRoot: toHex(by.known.root),
      signed: receipt.checkpoint.slice(0, EVIDENCE_LENGTH_MAX),
    });
  return text;
}

function bytesOf(base64: string): Bytes {
  try {
    return fromBase64(base64);
  } catch (error) {
    throw new Fault('RECEIPT_INVALID', { why: 'leaf is not base64' }, { cause: error });
  }
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Fault('RECEIPT_INVALID', { why: otherwise });
}
