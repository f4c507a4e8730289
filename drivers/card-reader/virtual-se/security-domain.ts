/**
 * The issuer security domain: the card's identity, its key sets and its life cycle.
 *
 * @see GPCS 2.3.1 section 11
 */
import { type Bytes, equal } from '../../../runtime/core/bytes.ts';
import type { Application } from './application.ts';
import { type ChipState, LifeCycle } from './chip.ts';
import { dataObject } from './data-objects.ts';
import type { Manner } from './manner.ts';
import { deleteKey, putKey } from './put-key.ts';
import type { SecureSession } from './secure-channel.ts';
import { parseTlvs, tlv, valueIn } from './tlv.ts';
import { type CardAnswer, type CardCommand, Refusal, StatusWord, success } from './wire.ts';

/** GPCS 2.3.1 table 11-1, and STORE DATA for the EID as an eUICC has it. */
const Instruction = {
  getData: 0xca,
  getDataOdd: 0xcb,
  putKey: 0xd8,
  storeData: 0xe2,
  delete: 0xe4,
  setStatus: 0xf0,
  getStatus: 0xf2,
} as const;

/** Each card state and where it may go. GPCS 2.3.1 section 5.1.1, without TERMINATED. */
const STEPS: Readonly<Record<number, readonly number[]>> = {
  [LifeCycle.opReady]: [LifeCycle.initialized],
  [LifeCycle.initialized]: [LifeCycle.secured],
  [LifeCycle.secured]: [LifeCycle.locked],
  [LifeCycle.locked]: [LifeCycle.secured],
};

/** Security domain, card lock, final application and the like. GPCS 2.3.1 table 11-7. */
const PRIVILEGES = Buffer.from('9efe80', 'hex');
/** ES10c.GetEID of SGP.22, as a card answers it by STORE DATA. */
const GET_EID = Buffer.from('bf3e035c015a', 'hex');
/** Life cycle SELECTABLE of an application. GPCS 2.3.1 table 11-4. */
const SELECTABLE = 0x07;

interface Domain {
  readonly state: ChipState;
  readonly manner: Manner;
}

export function createSecurityDomain(state: ChipState, manner: Manner): Application {
  const aid = Buffer.from(state.profile.domainAid, 'hex');
  return {
    aid,
    select: () => ({
      data: tlv(0x6f, tlv(0x84, aid), tlv(0xa5, tlv(0x9f65, Buffer.of(0xff)))),
      statusWord: state.lifeCycle === LifeCycle.locked ? StatusWord.selectedLocked : StatusWord.success,
    }),
    process: (command, session) => process({ state, manner }, command, session),
    reset: () => undefined,
  };
}

/** EID, CPLC, IIN and CIN. */
const IDENTITY_TAGS: readonly number[] = [0x5a, 0x9f7f, 0x42, 0x45];

function process(domain: Domain, command: CardCommand, session: SecureSession | null): CardAnswer {
  const { state } = domain;
  const { cla, ins } = command;
  if (ins === Instruction.getData || (ins === Instruction.getDataOdd && cla === 0x00))
    return getData(state, command, session);
  if (!(Object.values(Instruction) as number[]).includes(ins))
    throw new Refusal(StatusWord.instructionUnknown);
  if (cla !== 0x80) throw new Refusal(StatusWord.classUnknown);
  if (ins === Instruction.storeData) return storeData(state, command);
  if (session === null) throw new Refusal(StatusWord.securityNotSatisfied);
  if (ins === Instruction.getStatus) return getStatus(state, command);
  if (ins === Instruction.setStatus) return setStatus(domain, command);
  if (state.lifeCycle === LifeCycle.locked) throw new Refusal(StatusWord.conditionsNotSatisfied);
  if (ins === Instruction.putKey) return putKey(domain, command, session.dek);
  if (ins === Instruction.delete) return deleteKey(domain, command);
  throw new Refusal(StatusWord.instructionUnknown);
}

/** Class 80 gives the whole object, class 00 its value. GPCS 2.3.1 table 11-27. */
function getData(state: ChipState, command: CardCommand, session: SecureSession | null): CardAnswer {
  const tag = command.p1 * 256 + command.p2;
  if (session !== null && !state.profile.identityInSession && IDENTITY_TAGS.includes(tag))
    throw new Refusal(StatusWord.referenceAbsent);
  const value = dataObject(state, tag);
  if (value === undefined) throw new Refusal(StatusWord.referenceAbsent);
  return success(command.cla === 0x80 ? tlv(tag, value) : value);
}

function storeData(state: ChipState, command: CardCommand): CardAnswer {
  if (!equal(command.data, GET_EID)) throw new Refusal(StatusWord.dataWrong);
  return success(tlv(0xbf3e, tlv(0x5a, Buffer.from(state.eid, 'hex'))));
}

/** P1 80 the domain, 40 the applet; P2 02 entries E3, 00 the deprecated form. */
function getStatus(state: ChipState, command: CardCommand): CardAnswer {
  const { p1, p2, data } = command;
  if (p2 !== 0x02 && p2 !== 0x00) throw new Refusal(StatusWord.parametersWrong);
  const wanted = valueIn(parseTlvs(data), 0x4f);
  if (wanted === undefined) throw new Refusal(StatusWord.dataWrong);
  const domain = p1 === 0x80;
  if (!domain && p1 !== 0x40) throw new Refusal(StatusWord.referenceAbsent);
  const aid = Buffer.from(domain ? state.profile.domainAid : state.profile.appletAid, 'hex');
  if (!startsWith(aid, wanted)) throw new Refusal(StatusWord.referenceAbsent);
  const status = Buffer.of(domain ? state.lifeCycle : SELECTABLE);
  const privileges = domain ? PRIVILEGES : Buffer.alloc(3);
  if (p2 === 0x00)
    return success(Buffer.concat([Buffer.of(aid.length), aid, status, privileges.subarray(0, 1)]));
  return success(tlv(0xe3, tlv(0x4f, aid), tlv(0x9f70, status), tlv(0xc5, privileges)));
}

/** Only the card's own life cycle, one step at a time; the data are ignored. */
function setStatus({ state, manner }: Domain, command: CardCommand): CardAnswer {
  if (command.p1 === 0x40 || command.p1 === 0x60) throw new Refusal(StatusWord.referenceAbsent);
  if (command.p1 !== 0x80) throw new Refusal(StatusWord.parametersWrong);
  if (!STEPS[state.lifeCycle]?.includes(command.p2)) throw new Refusal(StatusWord.dataWrong);
  state.lifeCycle = manner.enters(command.p2);
  return success();
}

function startsWith(whole: Bytes, start: Bytes): boolean {
  return start.length <= whole.length && equal(whole.subarray(0, start.length), start);
}
