/** The end: transport keys gone, life cycle SECURED, and the chip's own state read back under R-MAC. */
import { type Bytes, toNumber } from '../../core/bytes.ts';
import { type Answer, type Command, decodeAnswer, encodeCommand } from '../../core/card/apdu.ts';
import {
  decodeKeyTemplate,
  decodeLifeCycle,
  deleteKeyVersion,
  getData,
  getStatusOfSecurityDomain,
  keyVersionsOf,
  LifeCycle,
  select,
  setCardStatus,
} from '../../core/card/global-platform.ts';
import { StatusWord } from '../../core/card/status-word.ts';
import { tlvAt } from '../../core/card/tlv.ts';
import { Fault, isFault } from '../../core/faults.ts';
import type { ChannelOpening } from '../../core/token.ts';
import { demand, type Job } from './job.ts';
import type { Proved } from './proof.ts';
import { type CardSession, dataOf } from './session.ts';

export interface Finished {
  readonly keyVersions: readonly number[];
  readonly lifeCycle: number;
  /** Counter of the new set as the chip states it: the transit seal. */
  readonly sequenceCounter: number | null;
}

/** Commands of the last list: what closes the chip, and what shows that it is closed. */
export function closing({ profile }: Job, proved: Proved): Closing {
  const gone = [profile.transportKeyVersion, profile.scratchKeyVersion];
  const changes = [
    ...gone.filter((version) => proved.keyVersions.includes(version)).map(deleteKeyVersion),
    ...movesTo(LifeCycle.secured, proved.lifeCycle).map(setCardStatus),
  ];
  return { changes, shows: [getData('E0'), getStatusOfSecurityDomain(), getData('C1')] };
}

export interface Ending {
  readonly closing: Closing;
  readonly more: readonly Command[];
  readonly oldSet: ChannelOpening;
}

export interface Closing {
  readonly changes: readonly Command[];
  readonly shows: readonly Command[];
}

/**
 * One list: the chip is proved and certified, so that from here on every step only closes it. What it did is
 * judged by what it shows afterwards, under R-MAC.
 * @param more the commands of `closing`, where the session was not begun with them
 * @param oldSet a channel under the transport set, which the chip must have forgotten
 */
export async function finish(
  job: Job,
  session: CardSession,
  { closing: { changes }, more, oldSet }: Ending,
): Promise<Finished> {
  const { profile, reserved } = job;
  const { answers, plain } = await session.start(
    {
      list: 'finish',
      changes: changes.length > 0,
      plain: [encodeCommand(select(profile.securityDomain)), oldSet.initializeUpdate],
    },
    more,
  );
  const [template, status, counter] = answers.slice(changes.length);
  const keyVersions = keyVersionsOf(decodeKeyTemplate(dataOf(template, 'GET DATA E0')));
  demand(onlyFleet(keyVersions, reserved.keyVersion), () => leftBehind(keyVersions));
  const lifeCycle = decodeLifeCycle(dataOf(status, 'GET STATUS'), profile.securityDomain);
  demand(lifeCycle === LifeCycle.secured, () => new Fault('CARD_STATE_WRONG', { lifeCycle }));
  await Promise.all([demandForgotten(job, oldSet, plain[1]), session.close()]);
  job.evidence.passed('old-set', 'key template under R-MAC');
  const sequenceCounter = judgeCounter(session, counter);
  job.evidence.passed('life-cycle', `GET STATUS under R-MAC, counter ${sequenceCounter ?? 'not told'}`);
  return { keyVersions, lifeCycle, sequenceCounter };
}

/** The counter under R-MAC, where the chip gives it, must be what it stated in clear when the session began. */
function judgeCounter({ proof }: CardSession, counter: Answer | undefined): number | null {
  const { sequenceCounter: stated, challengeRecomputed } = proof;
  if (counter?.statusWord !== StatusWord.success) return challengeRecomputed === true ? stated : null;
  const read = toNumber(tlvAt(counter.data, 'C1'));
  demand(
    stated === null || read === stated,
    () => new Fault('CARD_STATE_WRONG', { counter: read, stated: stated ?? -1 }),
  );
  return read;
}

/** A refusal under the old set proves nothing; a right cryptogram under it proves that it is still there.
 * @throws Fault CARD_ANSWER_MALFORMED for an answer that is neither */
async function demandForgotten(
  { ports, profile }: Job,
  { channel }: ChannelOpening,
  answer: Bytes = new Uint8Array(0),
): Promise<void> {
  if (decodeAnswer(answer).statusWord !== StatusWord.success) return ports.token.closeChannel(channel);
  await ports.token.authenticate(channel, answer, profile.securityDomain).catch((error: unknown) => {
    if (!isFault(error) || error.code !== 'CARD_NOT_OURS') throw error;
    throw new Fault('CARD_ANSWER_MALFORMED', { command: 'INITIALIZE UPDATE', set: 'old' }, { cause: error });
  });
  await ports.token.closeChannel(channel);
  throw leftBehind([profile.transportKeyVersion]);
}

function leftBehind(versions: readonly number[]): Fault {
  return new Fault('CARD_KEYS_LEFT_BEHIND', { versions: versions.join(' ') });
}

function onlyFleet(keyVersions: readonly number[], fleet: number): boolean {
  return keyVersions.length === 1 && keyVersions[0] === fleet;
}

/** Each step is one-way, and the present state may not be asked for again. GPCS 2.3.1 section 11.10. */
function movesTo(target: number, present: number): readonly number[] {
  const order = [LifeCycle.opReady, LifeCycle.initialized, LifeCycle.secured];
  return order.filter((state) => state > present && state <= target);
}
