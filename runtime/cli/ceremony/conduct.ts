/**
 * Carries a plan out: each step is intended on disk before it is done, done once, read back, and written down. A
 * ceremony that was interrupted goes on where it stopped; what stands already is recognised, never made again.
 */
import { equal, fromText, toText } from '../../core/bytes.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { demandStepApprovals } from '../../core/ceremony/approvals.ts';
import { type CeremonyPlan, kdfOf, keyOf, officersOf, planHash } from '../../core/ceremony/plan.ts';
import { checkPlan } from '../../core/ceremony/plan-check.ts';
import {
  type CeremonyRecord,
  ENFORCED_BY_TOKEN,
  recordStatement,
  type StepRecord,
  stepRecord,
} from '../../core/ceremony/record.ts';
import type { Shelf } from '../../core/ceremony/shelf.ts';
import type { CeremonyToken } from '../../core/ceremony/token.ts';
import { limitsOf, stepObjection, tokenObjection, verifyRecord } from '../../core/ceremony/verification.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { seal, type TrustedKey } from '../../core/messages/envelope.ts';
import type { Crypto, Signer } from '../../core/ports.ts';
import { hashOfFile, type Made } from './room.ts';
import { doStep, lookAt } from './steps.ts';

export interface Ceremony {
  readonly plan: CeremonyPlan;
  /** JWS of officers. */
  readonly approvals: readonly string[];
  readonly trusted: readonly TrustedKey[];
  /** The officer who conducts it and signs the record. */
  readonly conductor: { readonly name: string; readonly signer: Signer };
  readonly token: CeremonyToken;
  readonly shelf: Shelf;
  /** Of the record. */
  readonly directory: string;
  /** Files of components by custodian; whoever is not named is asked at the terminal. */
  readonly componentFiles: ReadonlyMap<string, string>;
  readonly crypto: Crypto;
  /** Milliseconds since 1970. */
  now(): number;
  /** A line for the people in the room. */
  tell(line: string): void;
}

/** The file of the record in the directory. */
export const RECORD_FILE = 'record.jws';

/** Resolves with the signed record, which is in the directory; a ceremony that is over answers the one it has.
 * @throws Fault CEREMONY_PLAN_REFUSED, CEREMONY_TOKEN_OTHER, APPROVALS_MISSING, APPROVAL_REFUSED, KEY_POLICY_BROKEN,
 * CEREMONY_COMPONENT_WRONG, CEREMONY_KEY_DIFFERS, CEREMONY_RECORD_INVALID, FILE_UNREADABLE, HSM_FAILED */
export async function conduct(ceremony: Ceremony): Promise<string> {
  const { plan, token, shelf, directory, crypto, trusted } = ceremony;
  checkPlan(plan);
  const description = await token.describe();
  demandConductor(ceremony);
  const why = tokenObjection({ plan, token: description });
  if (why !== null) throw new Fault('CEREMONY_TOKEN_OTHER', { why });
  const startedAt = await begin(ceremony);
  await token.audit();
  const over = await shelf.read(`${directory}/${RECORD_FILE}`);
  if (over !== null) {
    verifyRecord(toText(over).trim(), trusted, crypto);
    return toText(over).trim();
  }
  const kept: Kept[] = [];
  for (const at of plan.steps.keys()) kept.push(await takeStep(ceremony, at));
  await token.audit();
  const record: CeremonyRecord = {
    contract: 'holdfast/ceremony-record-1',
    plan,
    planHash: planHash(plan, crypto),
    conductor: ceremony.conductor.name,
    startedAt,
    endedAt: instantOf(ceremony.now()),
    token: description,
    approvals: [...new Set(kept.flatMap(({ approvals }) => approvals))],
    steps: kept.map(({ told }) => told),
    enforcedByToken: [...ENFORCED_BY_TOKEN],
    enforcedByCodeAlone: [...limitsOf(description.softwareToken)],
  };
  const jws = await seal(recordStatement, record, ceremony.conductor.signer, crypto);
  verifyRecord(jws, trusted, crypto);
  await shelf.write(`${directory}/${RECORD_FILE}`, fromText(`${jws}\n`));
  return jws;
}

/** Found out before anything is done, not when the record is signed.
 * @throws Fault CEREMONY_PLAN_REFUSED */
function demandConductor({ plan, trusted, conductor: { name, signer } }: Ceremony): void {
  const isKnown = trusted.some(
    (key) => key.role === 'officer' && key.name === name && equal(key.publicKey, signer.publicKey),
  );
  if (isKnown && officersOf(plan).includes(name)) return;
  throw new Fault('CEREMONY_PLAN_REFUSED', {
    why: 'this officer or this key does not conduct it',
    officer: name,
  });
}

/** The directory belongs to this plan from now on; answers when the ceremony began.
 * @throws Fault CEREMONY_PLAN_REFUSED for the directory of another ceremony */
async function begin({ plan, shelf, directory, crypto, now }: Ceremony): Promise<string> {
  const path = `${directory}/begun.json`;
  const hash = planHash(plan, crypto);
  const begun = await shelf.read(path);
  if (begun !== null) {
    const { plan: known, startedAt } = JSON.parse(toText(begun)) as { plan: string; startedAt: string };
    if (known === hash) return startedAt;
    throw new Fault('CEREMONY_PLAN_REFUSED', { why: 'the directory holds another ceremony', directory });
  }
  const startedAt = instantOf(now());
  await shelf.write(`${directory}/plan.json`, fromText(`${JSON.stringify(plan, null, 2)}\n`));
  await shelf.write(path, fromText(canonicalJson({ plan: hash, startedAt })));
  return startedAt;
}

/** What is kept of a step that is done. */
interface Kept {
  readonly told: StepRecord;
  /** JWS that the step was approved by. */
  readonly approvals: readonly string[];
}

async function takeStep(ceremony: Ceremony, at: number): Promise<Kept> {
  const { plan, approvals, trusted, crypto, shelf, directory, now } = ceremony;
  const step = plan.steps[at];
  if (step === undefined) throw new RangeError('no such step');
  const number = String(at + 1).padStart(3, '0');
  const done = await shelf.read(`${directory}/step-${number}.json`);
  if (done !== null) return recognised(ceremony, at, toText(done));
  const startedMs = now();
  const good = demandStepApprovals(plan, approvals, { step: at + 1, nowMs: startedMs }, trusted, crypto);
  ceremony.tell(`step ${at + 1} of ${plan.steps.length}: ${step.do} ${keyOf(step) ?? ''}`.trimEnd());
  const intent = `${directory}/step-${number}.intent.json`;
  const intended = await shelf.read(intent);
  const stood = intended === null ? await lookAt(ceremony, step) : null;
  if (intended === null)
    await shelf.write(
      intent,
      fromText(canonicalJson({ step, startedAt: instantOf(startedMs), found: stood !== null })),
    );
  const found =
    intended === null ? stood !== null : (JSON.parse(toText(intended)) as { found: boolean }).found;
  const made = await doStep(ceremony, step, { isIntended: intended !== null });
  const told: StepRecord = {
    step: at + 1,
    did: found ? 'found' : 'done',
    startedAt: instantOf(startedMs),
    endedAt: instantOf(now()),
    ...made,
    approvals: good.map(({ officer, approval }) => ({ officer, approval })),
  };
  demandAsPlanned(ceremony, at, told);
  const kept: Kept = { told, approvals: good.map(({ jws }) => jws) };
  await shelf.write(`${directory}/step-${number}.json`, fromText(canonicalJson(kept)));
  return kept;
}

/** A step that was done in this ceremony before: the token must tell the same of it now.
 * @throws Fault CEREMONY_KEY_DIFFERS */
async function recognised(ceremony: Ceremony, at: number, text: string): Promise<Kept> {
  const { told, approvals } = JSON.parse(text) as Kept;
  const read = stepRecord.parse(told);
  const step = ceremony.plan.steps[at];
  const now: Made | null = step === undefined ? null : await lookAt(ceremony, step);
  if (canonicalJson(now?.key ?? null) !== canonicalJson(read.key))
    throw new Fault('CEREMONY_KEY_DIFFERS', {
      step: at + 1,
      key: read.key?.key ?? '',
      why: 'the token tells something else of it than when the step was done',
    });
  // Of the constants file more may have been written since; a key in clear has no hash.
  const kept = step?.do === 'constants' ? null : read.file;
  const sha256 = kept?.sha256 ?? null;
  if (kept !== null && sha256 !== null && (await hashOfFile(ceremony, kept.file)) !== sha256)
    throw new Fault('CEREMONY_KEY_DIFFERS', {
      step: at + 1,
      key: read.key?.key ?? '',
      why: `its ${step?.do === 'release-tag' ? 'file' : 'backup'} is not the one that was written`,
    });
  demandAsPlanned(ceremony, at, read);
  return { told: read, approvals };
}

/** @throws Fault CEREMONY_KEY_DIFFERS */
function demandAsPlanned({ plan }: Ceremony, at: number, told: StepRecord): void {
  const step = plan.steps[at];
  const why = step === undefined ? 'no such step' : stepObjection(step, told, kdfOf(plan));
  if (why !== null) throw new Fault('CEREMONY_KEY_DIFFERS', { step: at + 1, key: told.key?.key ?? '', why });
}
