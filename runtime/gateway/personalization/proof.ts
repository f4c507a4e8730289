/**
 * The proof of the fleet's three keys. K-MAC: the cryptogram of a session after a cold reset, against our nonce.
 * K-ENC: encrypted commands whose effect shows, and answers that decrypt to what we know. K-DEK: a scratch set
 * that only the token and this chip can know opens a session. Negative control: with a wrong check value the same
 * set was refused before. Status words are no evidence; the template under R-MAC is. A card profile may try less,
 * and the confirmation says what was tried.
 *
 * @see GPCS 2.3.1 section 11.8; Amendment D section 7.2
 */
import { toHex } from '../../core/bytes.ts';
import { type Answer, type Command, encodeCommand } from '../../core/card/apdu.ts';
import {
  decodeKeyTemplate,
  decodeLifeCycle,
  deleteKeyVersion,
  getData,
  getStatusOfSecurityDomain,
  keyVersionsOf,
  select,
} from '../../core/card/global-platform.ts';
import { modeIn } from '../../core/card/profile.ts';
import { StatusWord } from '../../core/card/status-word.ts';
import { Fault } from '../../core/faults.ts';
import type { Confirmation } from '../../core/messages/receipts.ts';
import type { ChannelOpening, PutKeyCommand } from '../../core/token.ts';
import { demand, fleetKeys, intend, type Job } from './job.ts';
import { cardMeans, type Entered, identityCommands, judgeIdentity, prepareFleet } from './keys.ts';
import { asUnproved, CardSession, dataOf, type Opening, type Protectable } from './session.ts';

export interface Proved {
  readonly atr: string;
  /** Fingerprint objects as read under R-MAC, hexadecimal by tag. */
  readonly objects: Readonly<Record<string, string>>;
  /** As listed at the end of the proof, the scratch set included. */
  readonly keyVersions: readonly number[];
  readonly lifeCycle: number;
  readonly proofs: Confirmation['proofs'];
}

/** What is drawn for a proof by a scratch set; null where the card profile tries none. */
export type Draw = ScratchDraw | null;

export interface ScratchDraw {
  readonly scratch: ChannelOpening;
  /** How often the set is offered with a wrong check value first: a chip cannot count on it. */
  readonly spoiltTries: number;
}

/** The session that follows the proof. */
export interface AfterProof {
  readonly prepare: () => Promise<Opening>;
  readonly opening: Opening;
  readonly first: readonly Command[];
}

const SPOILT_TRIES_MAX = 2;
/** Rounds of the statistical proof: who cannot tell right from wrong passes once in 4096. */
const ROUNDS = 12;

export async function drawProof(job: Job): Promise<Draw> {
  const { ports, profile } = job;
  if (profile.proof.tried !== 'scratch-set') return null;
  const version = profile.scratchKeyVersion;
  const [scratch] = await Promise.all([
    ports.token.openScratchChannel(version, profile.algorithm, modeIn(profile), job.dialogue),
    intend(job, 'prove', `scratch set, key version ${version}`),
  ]);
  const [drawn = 0] = ports.entropy.bytes(1);
  return { scratch, spoiltTries: 1 + (drawn % SPOILT_TRIES_MAX) };
}

/** A set that a proof left behind when it was cut short goes first. */
export function trialCommands(job: Job, draw: Draw, keyVersions: readonly number[]): readonly Protectable[] {
  const seen = [...identityCommands(job), getStatusOfSecurityDomain()];
  if (draw === null) return seen;
  const { scratch, spoiltTries } = draw;
  const { scratchKeyVersion: version, putKeyForm: form } = job.profile;
  const keys = { origin: 'scratch', channel: scratch.channel, keyVersion: version } as const;
  return [
    ...seen,
    ...(keyVersions.includes(version) ? [deleteKeyVersion(version)] : []),
    ...Array.from({ length: spoiltTries }, () => ({ keys, form, spoilt: true })),
    getData('E0'),
    { keys, form },
    getData('E0'),
  ];
}

type How = Pick<Confirmation['proofs'], 'dek' | 'negativeControl'>;

export interface AfterTrial {
  readonly proved: Proved;
  readonly following: CardSession;
}

/** Ends in the session that `next` opens. */
export async function proveKeys(
  job: Job,
  { session, prove }: Entered,
  draw: Draw,
  next: AfterProof,
): Promise<AfterTrial> {
  const { profile, ports } = job;
  const isLast = draw !== null || profile.proof.tried === 'not-provable';
  const { answers, plain, entered } = await prove({
    list: 'prove',
    changes: draw !== null,
    deadlineMs: profile.deadlines.storeMs,
    plain:
      draw === null ? [] : [encodeCommand(select(profile.securityDomain)), draw.scratch.initializeUpdate],
    ...(isLast ? { next } : {}),
  });
  const trial = judgeTrial(job, session, answers, draw);
  const after = (following: CardSession, how: How): AfterTrial => ({
    following,
    proved: provedBy(job, session, trial, how),
  });
  if (profile.proof.tried === 'not-provable')
    return after(await entered, { dek: 'not-provable', negativeControl: 'not-provable' });
  if (draw === null) {
    await session.close();
    const following = await playRounds(job, next, next.opening);
    return after(following, { dek: 'statistical', negativeControl: 'statistical' });
  }
  const { channel } = draw.scratch;
  if (trial.keyVersions.includes(profile.scratchKeyVersion)) {
    const opened = ports.token.authenticate(channel, plain[1] ?? new Uint8Array(0), profile.securityDomain);
    const [following] = await Promise.all([entered, opened.catch(asUnproved)]);
    await ports.token.closeChannel(channel);
    return after(following, { dek: 'scratch-set', negativeControl: 'absent-from-template' });
  }
  const refusal = answers.at(-2);
  demand(refusal?.statusWord === StatusWord.memoryFull, () => unproved('scratch-set'));
  await Promise.all([ports.token.closeChannel(channel), entered.then((unused) => unused.close())]);
  // Nobody vouches for the refusal: where the profile promises the scratch set, it only holds the unit.
  if (profile.proof.promised === 'scratch-set') dataOf(refusal, 'PUT KEY');
  const following = await playRounds(job, next, await next.prepare());
  return after(following, { dek: 'statistical', negativeControl: 'statistical' });
}

/** Says step by step what was shown, and warns of a challenge that is not what it promises to be. */
function provedBy(job: Job, session: CardSession, trial: Trialled, how: How): Proved {
  const { evidence, profile, ports, reserved } = job;
  evidence.passed('key-mac', 'cryptogram');
  evidence.passed('key-enc', 'encrypted-round-trip');
  const say = how.dek === 'not-provable' ? evidence.notProvable : evidence.passed;
  say('negative-control', how.negativeControl);
  say('key-dek', how.dek);
  const { challengeRecomputed } = session.proof;
  if (challengeRecomputed === false)
    ports.log.write('warn', 'warning', {
      why: 'the card challenge is not what Key-ENC makes of the counter',
      operation: reserved.operation,
    });
  const { identity } = profile;
  return {
    ...trial,
    atr: toHex(session.atr),
    proofs: { mac: 'cryptogram', enc: 'encrypted-round-trip', challengeRecomputed, ...how, identity },
  };
}

type Trialled = Pick<Proved, 'objects' | 'lifeCycle' | 'keyVersions'>;

function judgeTrial(job: Job, session: CardSession, answers: readonly Answer[], draw: Draw): Trialled {
  const { profile, reserved } = job;
  const identity = identityCommands(job).length;
  const { keyVersions: first, objects } = judgeIdentity(job, session, answers.slice(0, identity));
  const lifeCycle = decodeLifeCycle(dataOf(answers[identity], 'GET STATUS'), profile.securityDomain);
  const later = draw === null ? [] : judgeScratch(job, answers.slice(identity + 1), draw);
  for (const listed of [first, ...later])
    demand(listed.includes(reserved.keyVersion), () => unproved('template'));
  return { objects, lifeCycle, keyVersions: later.at(-1) ?? first };
}

/** Key versions as listed after the spoilt tries and after the right one. */
function judgeScratch({ profile }: Job, answers: readonly Answer[], draw: ScratchDraw) {
  const [afterSpoilt, , afterRight] = answers.slice(-3);
  // What was left of an earlier proof must be gone, or nothing that follows says anything.
  const removals = answers.length - draw.spoiltTries - 3;
  if (removals > 0) dataOf(answers[0], 'DELETE');
  const refused = keyVersionsOf(decodeKeyTemplate(dataOf(afterSpoilt, 'GET DATA E0')));
  demand(!refused.includes(profile.scratchKeyVersion), () => unproved('negative-control'));
  return [refused, keyVersionsOf(decodeKeyTemplate(dataOf(afterRight, 'GET DATA E0')))];
}

/**
 * For a chip without room for a third set: its own set is put again, with right and wrong check values in random
 * order. Right ones come back under R-MAC; a refusal is believed of nobody, it only holds the unit.
 */
async function playRounds(job: Job, { first }: AfterProof, opening: Opening): Promise<CardSession> {
  const { ports, profile } = job;
  const keys = fleetKeys(job);
  const coins = ports.entropy.bytes(ROUNDS);
  const rounds = Array.from(
    coins,
    (coin): PutKeyCommand => ({ keys, form: profile.putKeyForm, replaces: true, spoilt: coin % 2 === 1 }),
  );
  const [domain] = await Promise.all([
    prepareFleet(job),
    intend(job, 'rounds', `key version ${keys.keyVersion} again, ${ROUNDS} times`),
  ]);
  const session = await CardSession.open(
    cardMeans(job),
    { opening: domain, first: [...rounds, getData('E0')] },
    'fleet-open',
  ).catch(asUnproved);
  const { answers, entered } = await session.start({
    list: 'rounds',
    changes: true,
    deadlineMs: profile.deadlines.storeMs,
    next: { opening, first },
  });
  for (const [i, { spoilt }] of rounds.entries())
    if (spoilt !== true) dataOf(answers[i], 'PUT KEY');
    else demand(answers[i]?.statusWord !== StatusWord.success, () => unproved('negative-control'));
  dataOf(answers.at(-1), 'GET DATA E0');
  return entered;
}

function unproved(step: string): Fault {
  return new Fault('CARD_KEYS_NOT_PROVED', { step });
}
