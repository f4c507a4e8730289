/**
 * PUT KEY and DELETE of key sets. Three AES keys in one command; no chaining over several commands.
 *
 * @see GPCS 2.3.1 sections 11.2 and 11.8; GlobalPlatform Amendment D v1.1.1 section 7.2
 */
import { type Bytes, equal } from '../../../runtime/core/bytes.ts';
import type { ChipProfile, ChipState, KeySet } from './chip.ts';
import { BLOCK, checkValue, decryptCbc, ZERO } from './cipher.ts';
import type { Manner } from './manner.ts';
import { parseTlvs, valueIn } from './tlv.ts';
import { type CardAnswer, type CardCommand, Refusal, StatusWord, success } from './wire.ts';

const AES = 0x88;
/** P2: several keys, the first of them KID 1. */
const THREE_KEYS = 0x81;
const KEYS_PER_SET = 3;
const KEY_VERSION_MAX = 0x7f;

interface SentKey {
  readonly key: Buffer;
  readonly checkValue: Bytes;
}

/**
 * Adds (P1 = 00) or replaces (P1 = version) a set; all or nothing.
 * @throws Refusal 6A86, 6A80, 6A84 (no room), 6A88 (none to replace), 6982 (check value), 6985 (takes no more)
 */
export function putKey(
  { state, manner }: { readonly state: ChipState; readonly manner: Manner },
  command: CardCommand,
  dek: Bytes,
): CardAnswer {
  if (command.p2 !== THREE_KEYS || command.p1 > KEY_VERSION_MAX)
    throw new Refusal(StatusWord.parametersWrong);
  const keyVersion = command.data[0] ?? 0;
  if (keyVersion < 1 || keyVersion > KEY_VERSION_MAX) throw new Refusal(StatusWord.dataWrong);
  if (state.profile.takesOneSet && state.keySets.length > 1)
    throw new Refusal(StatusWord.conditionsNotSatisfied);
  const at = placeOf(state, command.p1, keyVersion);
  const sent = parseKeys(command.data.subarray(1), dek, state.profile);
  const size = sent[0]?.key.length;
  const before = state.keySets[at];
  if (sent.some(({ key }) => key.length !== size)) throw new Refusal(StatusWord.dataWrong);
  if (before !== undefined && before.enc.length / 2 !== size) throw new Refusal(StatusWord.dataWrong);
  for (const { key, checkValue: claimed } of sent)
    if (!equal(checkValue(key, state.profile.checkValueFill), claimed) && !manner.overlooks('check-value'))
      throw new Refusal(StatusWord.securityNotSatisfied);
  const kept = manner.stores(keySet(keyVersion, sent));
  if (kept !== null) state.keySets[at] = kept;
  return success(Buffer.concat([Buffer.of(keyVersion), ...sent.map((item) => item.checkValue)]));
}

/** Deletes a whole set. @throws Refusal 6A80, 6A88 (absent), 6985 (the last one) */
export function deleteKey(
  { state, manner }: { readonly state: ChipState; readonly manner: Manner },
  command: CardCommand,
): CardAnswer {
  const items = parseTlvs(command.data);
  const version = valueIn(items, 0xd2);
  if (version === undefined && valueIn(items, 0x4f) !== undefined)
    throw new Refusal(StatusWord.referenceAbsent); // Nothing that could be deleted has an AID here.
  if (items.length !== 1 || version?.length !== 1) throw new Refusal(StatusWord.dataWrong);
  const at = state.keySets.findIndex((set) => set.keyVersion === version[0]);
  if (at < 0) throw new Refusal(StatusWord.referenceAbsent);
  if (state.keySets.length === 1) throw new Refusal(StatusWord.conditionsNotSatisfied);
  if (version[0] !== undefined && manner.deletes(version[0])) state.keySets.splice(at, 1);
  return success(Buffer.of(0x00));
}

/** Where the new set goes. */
function placeOf(state: ChipState, replaces: number, keyVersion: number): number {
  const at = state.keySets.findIndex((set) => set.keyVersion === replaces);
  if (replaces !== 0 && at < 0) throw new Refusal(StatusWord.referenceAbsent);
  if (keyVersion !== replaces && state.keySets.some((set) => set.keyVersion === keyVersion))
    throw new Refusal(StatusWord.dataWrong);
  if (replaces !== 0) return at;
  if (state.keySets.length >= state.profile.keySetsMax) throw new Refusal(StatusWord.memoryFull);
  return state.keySets.length;
}

/** Key fields `88 len block 03 KCV`. @throws Refusal 6A80 */
function parseKeys(fields: Bytes, dek: Bytes, profile: ChipProfile): readonly SentKey[] {
  const sent: SentKey[] = [];
  let at = 0;
  const take = (count: number): Bytes => {
    if (at + count > fields.length) throw new Refusal(StatusWord.dataWrong);
    at += count;
    return fields.subarray(at - count, at);
  };
  while (sent.length < KEYS_PER_SET) {
    if (take(1)[0] !== AES) throw new Refusal(StatusWord.dataWrong);
    const block = take(take(1)[0] ?? 0);
    if (take(1)[0] !== 3) throw new Refusal(StatusWord.dataWrong);
    sent.push({ key: unwrapKey(block, dek, profile.putKeyForm), checkValue: take(3) });
  }
  if (at !== fields.length) throw new Refusal(StatusWord.dataWrong);
  return sent;
}

/** A block of whole cipher blocks is the key alone; otherwise its clear length stands before it.
 * GPCS 2.3.1 section 11.8.2.3.3. @throws Refusal 6A80 */
function unwrapKey(block: Bytes, dek: Bytes, form: ChipProfile['putKeyForm']): Buffer {
  const alone = block.length % BLOCK === 0;
  if ((alone && form === 'inner-length') || (!alone && form === 'block-only'))
    throw new Refusal(StatusWord.dataWrong);
  const cipherText = alone ? block : block.subarray(1);
  const size = alone ? block.length : (block[0] ?? 0);
  if (cipherText.length === 0 || cipherText.length % BLOCK !== 0 || ![16, 24, 32].includes(size))
    throw new Refusal(StatusWord.dataWrong);
  if (Math.ceil(size / BLOCK) * BLOCK !== cipherText.length) throw new Refusal(StatusWord.dataWrong);
  return decryptCbc(dek, ZERO, cipherText).subarray(0, size);
}

function keySet(keyVersion: number, sent: readonly SentKey[]): KeySet {
  const [enc = '', mac = '', dek = ''] = sent.map(({ key }) => key.toString('hex'));
  return { keyVersion, enc, mac, dek, sequenceCounter: 0 };
}
