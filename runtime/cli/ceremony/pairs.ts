/** Steps that make a key pair: inside for good, or with a backup, or from one. */
import { z } from 'zod';
import { type Bytes, fromBase64, fromText, toBase64, toHex, toText } from '../../core/bytes.ts';
import type { PlanStep } from '../../core/ceremony/plan.ts';
import type { WrappedPair } from '../../core/ceremony/token.ts';
import { Fault } from '../../core/faults.ts';
import { fileOf, type Made, pathOf, type Room, readBack, sourcesOf } from './room.ts';

/** The backup of a pair: a private key tells nobody its public one. */
const backupForm = z.strictObject({
  contract: z.literal('holdfast/pair-backup-1'),
  key: z.string(),
  publicKey: z.base64(),
  wrapped: z.base64(),
});

/** Characters of a line. RFC 7468 section 2. */
const PEM_WIDTH = 64;

/** @throws Fault CEREMONY_COMPONENT_WRONG, CEREMONY_KEY_DIFFERS, FILE_UNREADABLE, HSM_FAILED */
export async function makePair(
  room: Room,
  step: Extract<PlanStep, { readonly do: 'key-pair' | 'restore-pair' }>,
  { isIntended }: { readonly isIntended: boolean },
): Promise<Made> {
  const stands = ((await room.token.readKey(step.key))?.objects.length ?? 0) > 1;
  const file = await bringAbout(room, step, { stands, isIntended });
  const made = { ...(await readBack(room, step.key)), file };
  const pem = pemOf(made.key?.publicKey ?? '');
  await room.shelf.write(`${room.directory}/${step.key}.pub.pem`, fromText(pem));
  return made;
}

/** What is known of the earlier runs of a step. */
interface Before {
  /** Whether both keys are in the token. */
  readonly stands: boolean;
  readonly isIntended: boolean;
}

async function bringAbout(
  room: Room,
  step: Extract<PlanStep, { readonly do: 'key-pair' | 'restore-pair' }>,
  { stands, isIntended }: Before,
): Promise<Made['file']> {
  if (step.do === 'restore-pair') {
    const backup = backupIn(await fileOf(room, step.file), step.key);
    if (backup.publicKey !== step.publicKey)
      throw new Fault('CEREMONY_KEY_DIFFERS', { key: step.key, why: 'the backup is of another key' });
    if (!stands) await room.token.unwrapPair(step.key, backup, sourcesOf(room, step.components));
    return null;
  }
  if (step.backup !== undefined) return backedUp(room, step.key, step.backup, { stands, isIntended });
  if (!stands) await room.token.generate(step.key);
  return null;
}

/** The backup is on the disk before the pair is in the token, and the token's pair is what came out of it.
 * @throws Fault CEREMONY_KEY_DIFFERS for a pair without its backup, or a backup that nobody intended */
async function backedUp(
  room: Room,
  key: string,
  { file, components }: NonNullable<Extract<PlanStep, { readonly do: 'key-pair' }>['backup']>,
  { stands, isIntended }: Before,
): Promise<Made['file']> {
  const path = pathOf(room, file);
  const sources = sourcesOf(room, components);
  const there = await room.shelf.read(path);
  if (stands && there === null)
    throw new Fault('CEREMONY_KEY_DIFFERS', { key, why: 'it is in the token, and its backup is not there' });
  if (!stands && there !== null && !isIntended)
    throw new Fault('CEREMONY_KEY_DIFFERS', { key, why: 'a backup is there before the key', file: path });
  const bytes = there ?? textOf(key, await room.token.wrapNewbornPair(key, sources));
  if (there === null) await room.shelf.write(path, bytes);
  if (!stands) await room.token.unwrapPair(key, backupIn(bytes, key), sources);
  return { file, sha256: toHex(room.crypto.sha256(bytes)), checkValue: null };
}

function textOf(key: string, { wrapped, publicKey }: WrappedPair): Bytes {
  const backup = { contract: 'holdfast/pair-backup-1', key, publicKey, wrapped: toBase64(wrapped) };
  return fromText(`${JSON.stringify(backup, null, 2)}\n`);
}

/** @throws Fault CEREMONY_KEY_DIFFERS for what is no backup of this pair */
function backupIn(bytes: Bytes, key: string): WrappedPair {
  try {
    const backup = backupForm.parse(JSON.parse(toText(bytes)));
    if (backup.key !== key) throw new RangeError(`it is of ${backup.key}`);
    return { publicKey: backup.publicKey, wrapped: fromBase64(backup.wrapped) };
  } catch (error) {
    throw new Fault('CEREMONY_KEY_DIFFERS', { key, why: 'the file is no backup of it' }, { cause: error });
  }
}

/** For whoever certifies this key, or sends a wrapped one to it. */
function pemOf(publicKey: string): string {
  const lines = publicKey.match(new RegExp(`.{1,${PEM_WIDTH}}`, 'g')) ?? [];
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n');
}
