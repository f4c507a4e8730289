/** The end: transport keys gone, life cycle SECURED, and the chip's own state read back under R-MAC. */
import { toNumber } from '../../core/bytes.ts';
import type { Command } from '../../core/card/apdu.ts';
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
import { initializeUpdate } from '../../core/card/scp03.ts';
import { StatusWord } from '../../core/card/status-word.ts';
import { tlvAt } from '../../core/card/tlv.ts';
import { Fault } from '../../core/faults.ts';
import { demand, type Job } from './job.ts';
import type { Proved } from './keys.ts';
import { type CardSession, dataOf } from './session.ts';

export interface Finished {
  readonly keyVersions: readonly number[];
  readonly lifeCycle: number;
  /** Counter of the new set as the chip states it: the transit seal. */
  readonly sequenceCounter: number | null;
}

/** Commands of the last list: what closes the chip, and what shows that it is closed. */
export function closing({ profile }: Job, proved: Proved): Closing {
  const transport = proved.keyVersions.includes(profile.transportKeyVersion);
  const changes = [
    ...(transport ? [deleteKeyVersion(profile.transportKeyVersion)] : []),
    ...movesTo(LifeCycle.secured, proved.lifeCycle).map(setCardStatus),
  ];
  return { changes, shows: [getData('E0'), getStatusOfSecurityDomain(), getData('C1')] };
}

export interface Closing {
  readonly changes: readonly Command[];
  readonly shows: readonly Command[];
}

/**
 * One list: the chip is proved and certified, so that from here on every step only closes it. What it did is
 * judged by what it shows afterwards, under R-MAC. The session was opened with the commands of `closing`.
 */
export async function finish(job: Job, session: CardSession, { changes }: Closing): Promise<Finished> {
  const { profile, reserved } = job;
  const { answers, plain } = await session.start({
    list: 'finish',
    changes: changes.length > 0,
    plain: [select(profile.securityDomain), oldSetAsked(job)],
  });
  const [template, status, counter] = answers.slice(changes.length);
  const keyVersions = keyVersionsOf(decodeKeyTemplate(dataOf(template, 'GET DATA E0')));
  // The old set's refusal proves nothing, its answer would: then it is still there.
  demand(
    onlyFleet(keyVersions, reserved.keyVersion) && plain[1]?.statusWord !== StatusWord.success,
    () => new Fault('CARD_KEYS_LEFT_BEHIND', { versions: keyVersions.join(' ') }),
  );
  const lifeCycle = decodeLifeCycle(dataOf(status, 'GET STATUS'), profile.securityDomain);
  demand(lifeCycle === LifeCycle.secured, () => new Fault('CARD_STATE_WRONG', { lifeCycle }));
  const stated = counter?.statusWord === StatusWord.success ? toNumber(tlvAt(counter.data, 'C1')) : null;
  return { keyVersions, lifeCycle, sequenceCounter: stated ?? session.proof.sequenceCounter };
}

function onlyFleet(keyVersions: readonly number[], fleet: number): boolean {
  return keyVersions.length === 1 && keyVersions[0] === fleet;
}

/** Each step is one-way, and the present state may not be asked for again. GPCS 2.3.1 section 11.10. */
function movesTo(target: number, present: number): readonly number[] {
  const order = [LifeCycle.opReady, LifeCycle.initialized, LifeCycle.secured];
  return order.filter((state) => state > present && state <= target);
}

/** INITIALIZE UPDATE under the transport set, in parts. Its challenge is never used: the chip should refuse. */
function oldSetAsked({ profile }: Job) {
  const bytes = initializeUpdate(profile.transportKeyVersion, new Uint8Array(8));
  return {
    cla: 0x80,
    ins: 0x50,
    p1: profile.transportKeyVersion,
    p2: 0,
    data: bytes.subarray(5, 13),
    expected: 0,
  };
}
