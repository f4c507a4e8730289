/**
 * The key set: the chip is opened with its transport keys, gives its identity under R-MAC, takes the fleet's
 * key set as a new version and proves it in a fresh session.
 */
import { equal, fromHex, toHex } from '../../core/bytes.ts';
import type { Answer, Command } from '../../core/card/apdu.ts';
import {
  decodeKeyTemplate,
  decodeLifeCycle,
  fingerprintInput,
  getData,
  getStatusOfSecurityDomain,
  keyVersionsOf,
} from '../../core/card/global-platform.ts';
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
} from './session.ts';

/**
 * Opens the chip with its transport set and adds the fleet's set, unless the template under R-MAC has it already.
 * Ends in a session under the fleet's set, begun by a cold reset.
 */
export async function injectKeys(job: Job, touched: Touched): Promise<CardSession> {
  const means = cardMeans(job);
  const opening = await CardSession.prepare(
    means,
    transportKeys(job),
    onDomain(job, true, identityCommands(job)),
  );
  const session = await CardSession.open(means, opening, 'transport-open');
  // The session to come only draws a nonce; what an intent must guard is the wrap of its keys.
  const next = job.line.meanwhile(() => prepareFleet(job));
  const { answers } = await session.start({ list: 'identity', changes: false });
  const { keyVersions } = judgeIdentity(job, session.atr, answers);
  touched.keyVersions.add(job.reserved.keyVersion);
  if (!keyVersions.includes(job.reserved.keyVersion)) return putKeys(job, session, await next);
  await session.close();
  return enterFleet(job, await next);
}

async function putKeys(job: Job, session: CardSession, next: Opening): Promise<CardSession> {
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
  return entered;
}

export interface Proved {
  readonly atr: string;
  /** Fingerprint objects as read under R-MAC, hexadecimal by tag. */
  readonly objects: Readonly<Record<string, string>>;
  readonly keyVersions: readonly number[];
  readonly lifeCycle: number;
  readonly challengeRecomputed: boolean | null;
}

/**
 * After a cold reset the chip answered under the new set: K-MAC by its cryptogram against our nonce. Now K-ENC,
 * by a command whose encrypted data it must understand and by answers that decrypt to what we know. Ends in the
 * session that `next` opens, on the key applet.
 */
export async function proveKeys(
  job: Job,
  session: CardSession,
  next: Opening,
): Promise<{ readonly proved: Proved; readonly applet: CardSession }> {
  const { answers, entered } = await session.start({ list: 'prove', changes: false, next });
  const { keyVersions, objects } = judgeIdentity(job, session.atr, answers);
  demand(
    keyVersions.includes(job.reserved.keyVersion),
    () => new Fault('CARD_KEYS_NOT_PROVED', { step: 'template' }),
  );
  const lifeCycle = decodeLifeCycle(dataOf(answers.at(-1), 'GET STATUS'), job.profile.securityDomain);
  const { challengeRecomputed } = session.proof;
  return {
    proved: { atr: toHex(session.atr), objects, keyVersions, lifeCycle, challengeRecomputed },
    applet: await entered,
  };
}

/** A session under the fleet's set on the security domain, begun by a cold reset: a resume.
 * @throws Fault CARD_KEYS_NOT_PROVED when the chip shows another K-MAC */
export async function openFleet(job: Job): Promise<CardSession> {
  return enterFleet(job, await prepareFleet(job));
}

function enterFleet(job: Job, opening: Opening): Promise<CardSession> {
  return CardSession.open(cardMeans(job), opening, 'fleet-open').catch(asUnproved);
}

/** A session in which the fleet's set is proved. */
function prepareFleet(job: Job): Promise<Opening> {
  const first = [...identityCommands(job), getStatusOfSecurityDomain()];
  return CardSession.prepare(cardMeans(job), fleetKeys(job), onDomain(job, true, first));
}

export function onDomain({ profile }: Job, coldReset: boolean, first: readonly Command[]): OpeningOptions {
  return { aid: profile.securityDomain, coldReset, first };
}

export function cardMeans(job: Job) {
  return { line: job.line, token: job.ports.token, profile: job.profile };
}

function identityCommands({ profile }: Job) {
  return [getData(profile.eidObject), getData('E0'), ...profile.fingerprintObjects.map(getData)];
}

/** Compares the identity under R-MAC with what the chip claimed and what was reserved. */
function judgeIdentity(job: Job, atr: Uint8Array, answers: readonly Answer[]) {
  const { profile, reserved, ports } = job;
  const [eidAnswer, template, ...rest] = answers;
  const eid = eidFromBytes(tlvAt(dataOf(eidAnswer, 'GET DATA EID'), profile.eidObject));
  const values = profile.fingerprintObjects.map((_, i) => dataOrEmpty(rest[i]));
  const fingerprint = toHex(ports.crypto.sha256(fingerprintInput(atr, values)));
  demand(
    eid === reserved.eid && fingerprint === reserved.seFingerprint,
    () => new Fault('CARD_IDENTITY_MISMATCH', { eid: eid.slice(-4), fingerprint: fingerprint.slice(0, 8) }),
  );
  return {
    keyVersions: keyVersionsOf(decodeKeyTemplate(dataOf(template, 'GET DATA E0'))),
    objects: Object.fromEntries(
      profile.fingerprintObjects.map((tag, i) => [tag, toHex(values[i] ?? new Uint8Array(0))]),
    ),
  };
}
