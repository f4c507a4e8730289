/**
 * The key set: the chip is opened with its transport keys, gives its identity under R-MAC, takes the fleet's
 * key set as a new version, and answers under it after a cold reset.
 */
import { equal, fromHex, toHex } from '../../core/bytes.ts';
import type { Answer, Command } from '../../core/card/apdu.ts';
import {
  decodeKeyTemplate,
  fingerprintInput,
  getData,
  keyVersionsOf,
} from '../../core/card/global-platform.ts';
import type { CardProfile } from '../../core/card/profile.ts';
import { putKeyEcho } from '../../core/card/scp03-put-key.ts';
import { tlvAt } from '../../core/card/tlv.ts';
import { eidFromBytes } from '../../core/eid.ts';
import { Fault } from '../../core/faults.ts';
import { demand, fleetKeys, intend, type Job, type Touched, transportKeys } from './job.ts';
import {
  asUnproved,
  CardSession,
  dataOf,
  dataOrEmpty,
  type Opening,
  type OpeningOptions,
  type Protectable,
  type SendOptions,
  type Sent,
} from './session.ts';

/** A chip in a session under the fleet's set, which waits for the list that proves the set. */
export interface Entered {
  readonly session: CardSession;
  readonly prove: (options: SendOptions) => Promise<Sent>;
}

/** The commands of that list, from the key versions that were listed under R-MAC. */
export type Trial = (keyVersions: readonly number[]) => Promise<readonly Protectable[]>;

/**
 * Opens the chip with its transport set and adds the fleet's set, unless the template under R-MAC has it already.
 * Ends in a session under the fleet's set, begun by a cold reset.
 */
export async function injectKeys(job: Job, touched: Touched, trial: Trial): Promise<Entered> {
  const means = cardMeans(job);
  const opening = await CardSession.prepare(means, transportKeys(job), onDomain(job, true));
  const session = await CardSession.open(means, { opening, first: identityCommands(job) }, 'transport-open');
  // The session to come only draws a nonce; what an intent must guard is the wrap of its keys.
  const next = job.line.meanwhile(() => prepareFleet(job));
  const { answers } = await session.start({ list: 'identity', changes: false });
  job.evidence.passed('transport-set', 'card cryptogram and R-MAC');
  const { keyVersions } = judgeIdentity(job, session, answers);
  touched.keyVersions.add(job.reserved.keyVersion);
  if (keyVersions.includes(job.reserved.keyVersion)) {
    await session.close();
    job.evidence.earlier('put-key', 'the template under R-MAC lists the set');
    return enterFleet(job, trial, await next);
  }
  const entered = await putKeys(job, session, { opening: await next, first: await trial(keyVersions) });
  return { session: entered, prove: (options) => entered.start(options) };
}

async function putKeys(
  job: Job,
  session: CardSession,
  next: NonNullable<SendOptions['next']>,
): Promise<CardSession> {
  const { generation, keyVersion } = job.reserved;
  const under = job.profile.transportKeyVersion;
  await intend(job, 'put-key', `generation ${generation}, key version ${keyVersion} under ${under}`);
  const { answers, entered, checkValues } = await session.putKeys(fleetKeys(job), {
    list: 'put-key',
    changes: true,
    deadlineMs: job.profile.deadlines.storeMs,
    next,
  });
  // An echo of what was sent: a mix-up on the way shows, possession does not.
  const [enc, mac, dek] = checkValues;
  const echo = putKeyEcho(keyVersion, [fromHex(enc), fromHex(mac), fromHex(dek)]);
  demand(
    equal(dataOf(answers[0], 'PUT KEY'), echo),
    () => new Fault('CARD_KEYS_NOT_PROVED', { step: 'put-key' }),
  );
  job.evidence.passed('put-key', 'check values echoed under R-MAC');
  return entered;
}

/** A session under the fleet's set on the security domain, begun by a cold reset: a resume.
 * @throws Fault CARD_KEYS_NOT_PROVED when the chip shows another K-MAC */
export async function openFleet(job: Job, trial: Trial): Promise<Entered> {
  job.evidence.earlier('transport-set', 'the chip lists no transport set');
  job.evidence.earlier('put-key', 'the chip opens under the set');
  return enterFleet(job, trial, await prepareFleet(job));
}

async function enterFleet(job: Job, trial: Trial, opening: Opening): Promise<Entered> {
  const next = { opening, first: identityCommands(job) };
  const session = await CardSession.open(cardMeans(job), next, 'fleet-open').catch(asUnproved);
  const { answers } = await session.start({ list: 'recognize', changes: false });
  const commands = await trial(judgeIdentity(job, session, answers).keyVersions);
  return { session, prove: (options) => session.send(commands, options) };
}

export function prepareFleet(job: Job): Promise<Opening> {
  return CardSession.prepare(cardMeans(job), fleetKeys(job), onDomain(job, true));
}

export function onDomain({ profile }: Job, coldReset: boolean): OpeningOptions {
  const reads = coldReset && profile.identity === 'unauthenticated' ? identityReads(profile) : [];
  return { aid: profile.securityDomain, coldReset, reads };
}

export function cardMeans(job: Job) {
  return {
    line: job.line,
    token: job.ports.token,
    profile: job.profile,
    evidence: job.evidence,
    dialogue: job.dialogue,
  };
}

/** Key template, and what the profile lets be read inside the secure channel. */
export function identityCommands({ profile }: Job): readonly Command[] {
  return [getData('E0'), ...(profile.identity === 'under-mac' ? identityReads(profile) : [])];
}

function identityReads({ eidObject, fingerprintObjects }: CardProfile): readonly Command[] {
  return [eidObject, ...fingerprintObjects].map(getData);
}

/**
 * Compares the identity, under R-MAC where the profile has it so, with what the chip claimed and what was reserved.
 * @throws Fault CARD_IDENTITY_MISMATCH; CARD_CHANGED where it was read in clear, which condemns nobody
 */
export function judgeIdentity(job: Job, { atr, clear }: CardSession, answers: readonly Answer[]) {
  const { profile, reserved, ports } = job;
  const isProtected = profile.identity === 'under-mac';
  const [template, ...inside] = answers;
  const [eidAnswer, ...rest] = isProtected ? inside : clear;
  const eid = eidFromBytes(tlvAt(dataOf(eidAnswer, 'GET DATA EID'), profile.eidObject));
  const values = profile.fingerprintObjects.map((_, i) => dataOrEmpty(rest[i]));
  const fingerprint = toHex(ports.crypto.sha256(fingerprintInput(atr, values)));
  // A refusal carries no code: it may be a bad contact's, and condemns nobody.
  if (fingerprint !== reserved.seFingerprint) for (const answer of rest) dataOf(answer, 'GET DATA');
  demand(
    eid === reserved.eid && fingerprint === reserved.seFingerprint,
    () =>
      new Fault(isProtected ? 'CARD_IDENTITY_MISMATCH' : 'CARD_CHANGED', {
        eid: eid.slice(-4),
        fingerprint: fingerprint.slice(0, 8),
      }),
  );
  job.evidence.passed(
    'identity',
    isProtected ? 'GET DATA under R-MAC' : 'GET DATA in clear: unauthenticated',
  );
  return {
    keyVersions: keyVersionsOf(decodeKeyTemplate(dataOf(template, 'GET DATA E0'))),
    objects: Object.fromEntries(
      profile.fingerprintObjects.map((tag, i) => [tag, toHex(values[i] ?? new Uint8Array(0))]),
    ),
  };
}
