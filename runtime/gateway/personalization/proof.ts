/**
 * The proof of the fleet's three keys. K-MAC: the cryptogram of a session after a cold reset, against our nonce.
 * K-ENC: encrypted commands whose effect shows, and answers that decrypt to what we know. K-DEK: a scratch set
 * that only the token and this chip can know opens a session. Negative control: with a wrong check value the same
 * set was refused before. Status words are no evidence; the template under R-MAC is.
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

/** What is drawn for one proof. */
export interface Draw {
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
  const version = profile.scratchKeyVersion;
  const [scratch] = await Promise.all([
    ports.token.openScratchChannel(version, profile.algorithm, modeIn(profile)),
    intend(job, 'prove', `scratch set, key version ${version}`),
  ]);
  const [drawn = 0] = ports.entropy.bytes(1);
  return { scratch, spoiltTries: 1 + (drawn % SPOILT_TRIES_MAX) };
}

/** A set that a proof left behind when it was cut short goes first. */
export function trialCommands(
  job: Job,
  { scratch, spoiltTries }: Draw,
  keyVersions: readonly number[],
): readonly Protectable[] {
  const { scratchKeyVersion: version, putKeyForm: form } = job.profile;
  const keys = { origin: 'scratch', channel: scratch.channel, keyVersion: version } as const;
  return [
    ...identityCommands(job),
    getStatusOfSecurityDomain(),
    ...(keyVersions.includes(version) ? [deleteKeyVersion(version)] : []),
    ...Array.from({ length: spoiltTries }, () => ({ keys, form, spoilt: true })),
    getData('E0'),
    { keys, form },
    getData('E0'),
  ];
}

/** Ends in the session that `next` opens. */
export async function proveKeys(
  job: Job,
  { session, prove }: Entered,
  draw: Draw,
  next: AfterProof,
): Promise<{ readonly proved: Proved; readonly applet: CardSession }> {
  const { profile, ports, reserved } = job;
  const { answers, plain, entered } = await prove({
    list: 'prove',
    changes: true,
    deadlineMs: profile.deadlines.storeMs,
    plain: [encodeCommand(select(profile.securityDomain)), draw.scratch.initializeUpdate],
    next,
  });
  const trial = judgeTrial(job, session, answers, draw);
  job.evidence.passed('key-mac', 'cryptogram');
  job.evidence.passed('key-enc', 'encrypted-round-trip');
  const proved = (how: Pick<Confirmation['proofs'], 'dek' | 'negativeControl'>): Proved => {
    job.evidence.passed('negative-control', how.negativeControl);
    job.evidence.passed('key-dek', how.dek);
    const { challengeRecomputed } = session.proof;
    return {
      ...trial,
      atr: toHex(session.atr),
      proofs: { mac: 'cryptogram', enc: 'encrypted-round-trip', challengeRecomputed, ...how },
    };
  };
  if (session.proof.challengeRecomputed === false)
    ports.log.write('warn', 'warning', {
      why: 'the card challenge is not what Key-ENC makes of the counter',
      operation: reserved.operation,
    });
  const { channel } = draw.scratch;
  if (trial.keyVersions.includes(profile.scratchKeyVersion)) {
    const opened = ports.token.authenticate(channel, plain[1] ?? new Uint8Array(0), profile.securityDomain);
    const [applet] = await Promise.all([entered, opened.catch(asUnproved)]);
    await ports.token.closeChannel(channel);
    return { proved: proved({ dek: 'scratch-set', negativeControl: 'absent-from-template' }), applet };
  }
  demand(answers.at(-2)?.statusWord === StatusWord.memoryFull, () => unproved('scratch-set'));
  await Promise.all([ports.token.closeChannel(channel), entered.then((unused) => unused.close())]);
  const applet = await playRounds(job, next);
  return { proved: proved({ dek: 'statistical', negativeControl: 'statistical' }), applet };
}

function judgeTrial(job: Job, session: CardSession, answers: readonly Answer[], draw: Draw) {
  const { profile, reserved } = job;
  const identity = identityCommands(job).length;
  const { keyVersions: first, objects } = judgeIdentity(job, session.atr, answers.slice(0, identity));
  const lifeCycle = decodeLifeCycle(dataOf(answers[identity], 'GET STATUS'), profile.securityDomain);
  const [afterSpoilt, , afterRight] = answers.slice(-3);
  // What was left of an earlier proof must be gone, or nothing that follows says anything.
  const removals = answers.length - identity - draw.spoiltTries - 4;
  if (removals > 0) dataOf(answers[identity + 1], 'DELETE');
  const refused = keyVersionsOf(decodeKeyTemplate(dataOf(afterSpoilt, 'GET DATA E0')));
  demand(!refused.includes(profile.scratchKeyVersion), () => unproved('negative-control'));
  const keyVersions = keyVersionsOf(decodeKeyTemplate(dataOf(afterRight, 'GET DATA E0')));
  for (const listed of [first, refused, keyVersions])
    demand(listed.includes(reserved.keyVersion), () => unproved('template'));
  return { objects, lifeCycle, keyVersions };
}

/**
 * For a chip without room for a third set: its own set is put again, with right and wrong check values in random
 * order. Right ones come back under R-MAC; a refusal is believed of nobody, it only holds the unit.
 */
async function playRounds(job: Job, next: AfterProof): Promise<CardSession> {
  const { ports, profile } = job;
  const keys = fleetKeys(job);
  const coins = ports.entropy.bytes(ROUNDS);
  const rounds = Array.from(
    coins,
    (coin): PutKeyCommand => ({ keys, form: profile.putKeyForm, replaces: true, spoilt: coin % 2 === 1 }),
  );
  const [domain, opening] = await Promise.all([
    prepareFleet(job),
    next.prepare(),
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
    next: { opening, first: next.first },
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
