/**
 * A key on its way from the HSM room to those that the officers named: encrypted to each of them as it is drawn, so
 * that it lies in clear nowhere between. The plan holds their keys; the record holds what was sent.
 */
import { z } from 'zod';
import { type Bytes, fromHex, fromText, toHex, toText } from '../bytes.ts';
import { Fault } from '../faults.ts';
import { hashOf } from '../messages/envelope.ts';
import { partyName } from '../messages/fields.ts';
import { agreeWith, type Context, decrypt, encrypt } from '../messages/jwe.ts';
import type { AgreementKey, Crypto, Entropy } from '../ports.ts';
import { controllerName, type PlanStep, type recipient } from './plan.ts';
import type { CeremonyRecord } from './record.ts';

/** Bytes of a gate controller's key, and of its check value. */
const TAG_KEY_BYTES = 16;
const CHECK_BYTES = 3;

export type Recipient = z.output<typeof recipient>;

/** Which key it is. */
export interface Cargo {
  /** Id of the ceremony's plan. */
  readonly ceremony: string;
  readonly controller: string;
}

/** The file that is carried: one part for each recipient. */
export const carriedForm = z.strictObject({
  contract: z.literal('holdfast/carried-key-1'),
  ceremony: z.uuid(),
  controller: controllerName,
  parts: z.array(z.strictObject({ recipient: partyName, key: z.string().max(2048) })).min(1),
});
export type Carried = z.output<typeof carriedForm>;

/** Encrypts a key to everybody who gets it: compact JWE, in the order of `recipients`.
 * @throws Fault ENVELOPE_INVALID for a recipient whose key is no point of P-256 */
export function encryptToAll(
  key: Bytes,
  cargo: Cargo,
  recipients: readonly Recipient[],
  means: { readonly crypto: Crypto; readonly entropy: Entropy },
): readonly string[] {
  return recipients.map(({ name, publicKey }) =>
    encrypt(key, agreeWith(fromHex(publicKey), means), contextOf(cargo, name), means),
  );
}

/** What a recipient has, and what it is judged by. */
export interface Receipt {
  /** The file as it was carried. */
  readonly file: Bytes;
  readonly recipient: string;
  readonly own: AgreementKey;
  /** Verified by the caller. */
  readonly record: CeremonyRecord;
}

/** The key, 16 bytes, which the caller wipes.
 * @throws Fault CARRIED_KEY_REFUSED unless the record tells of exactly this file, and it holds this recipient's part */
export function receive({ file, recipient: name, own, record }: Receipt, crypto: Crypto): Bytes {
  const sha256 = toHex(crypto.sha256(file));
  const at = record.steps.findIndex((step) => step.file?.sha256 === sha256);
  const step = record.plan.steps[at];
  const told = record.steps[at]?.file;
  if (step?.do !== 'release-tag' || told === undefined || told === null)
    throw refused('the record tells of no such file', { sha256 });
  const part = partsIn(file).find((one) => one.recipient === name);
  const planned = step.recipients?.find((one) => one.name === name);
  if (part === undefined || planned === undefined) throw refused('it is carried to somebody else', { name });
  if (planned.publicKey !== toHex(own.publicKey))
    throw refused('the plan names another key of this recipient', { name });
  const key = decrypt(part.key, own, contextOf(cargoOf(record, step), name), crypto);
  const checkValue = toHex(crypto.aesEncryptBlock(key, new Uint8Array(16)).subarray(0, CHECK_BYTES));
  if (key.length !== TAG_KEY_BYTES || checkValue !== told.checkValue)
    throw refused('another check value than the record says', { found: checkValue });
  return key;
}

/** @throws Fault CARRIED_KEY_REFUSED */
function partsIn(file: Bytes): Carried['parts'] {
  try {
    return carriedForm.parse(JSON.parse(toText(file))).parts;
  } catch (error) {
    throw new Fault('CARRIED_KEY_REFUSED', { why: 'it is no file of carried keys' }, { cause: error });
  }
}

/** What the record keeps of each part: to whom, and the hash of what was sent. */
export function sentOf({ parts }: Carried, crypto: Crypto) {
  return parts.map(({ recipient: name, key }) => ({ recipient: name, sha256: hashOf(key, crypto) }));
}

function cargoOf(
  { plan }: CeremonyRecord,
  { controller }: Extract<PlanStep, { readonly do: 'release-tag' }>,
): Cargo {
  return { ceremony: plan.id, controller };
}

/** No part serves another recipient, another controller or another ceremony. */
function contextOf({ ceremony, controller }: Cargo, name: string): Context {
  return { apu: fromText(`holdfast/release-tag-1 ${ceremony} ${controller}`), apv: fromText(name) };
}

function refused(why: string, context: Readonly<Record<string, string>>): Fault {
  return new Fault('CARRIED_KEY_REFUSED', { why, ...context });
}
