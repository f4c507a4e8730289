/** One step of a ceremony: what stands of it in the token, and what brings about the rest. */
import { fromText, toHex } from '../../core/bytes.ts';
import { type Recipient, sentOf } from '../../core/ceremony/carriage.ts';
import { keyOf, type PlanStep } from '../../core/ceremony/plan.ts';
import { Fault } from '../../core/faults.ts';
import { makePair } from './pairs.ts';
import { fileOf, type Made, madeOf, pathOf, type Room, readBack, sourcesOf } from './room.ts';

/** Null while nothing of it stands. @throws Fault KEY_POLICY_BROKEN */
export async function lookAt(room: Room, step: PlanStep): Promise<Made | null> {
  const label = keyOf(step);
  if (label === null) {
    const file = 'file' in step ? await room.shelf.read(pathOf(room, step.file)) : null;
    return file === null ? null : { key: null, file: null, constants: null };
  }
  const key = await room.token.readKey(label);
  return key === null ? null : { key: madeOf(label, key), file: null, constants: null };
}

/** Does what is missing, and reads back. `isIntended`: an earlier run got as far as to intend it.
 * @throws Fault CEREMONY_COMPONENT_WRONG, CEREMONY_KEY_DIFFERS, FILE_UNREADABLE, HSM_FAILED */
export async function doStep(
  room: Room,
  step: PlanStep,
  { isIntended }: { readonly isIntended: boolean },
): Promise<Made> {
  const label = keyOf(step);
  const stands = label !== null && (await room.token.readKey(label)) !== null;
  switch (step.do) {
    case 'generate': {
      if (step.backup !== null) return generateBackedUp(room, step, { stands, isIntended });
      if (!stands) await room.token.generate(step.key);
      return readBack(room, step.key);
    }
    case 'key-pair':
    case 'restore-pair':
      return makePair(room, step, { isIntended });
    case 'join':
      if (!stands) await room.token.join(step.key, sourcesOf(room, step.components), step.checkValue);
      return readBack(room, step.key);
    case 'import': {
      const under =
        step.under.method === 'rsa-oaep'
          ? step.under
          : { method: step.under.method, components: sourcesOf(room, step.under.components) };
      if (!stands) await room.token.unwrap(step.key, await fileOf(room, step.file), under, step.checkValue);
      return readBack(room, step.key);
    }
    case 'restore': {
      const under = { method: 'aes-kwp', components: sourcesOf(room, step.components) } as const;
      if (!stands) await room.token.unwrap(step.key, await fileOf(room, step.file), under, step.checkValue);
      return readBack(room, step.key);
    }
    case 'constants': {
      const { sha256, entries } = await room.token.writeConstants(pathOf(room, step.file), step.keyVersions);
      const constants = entries.map(({ checkValues, ...entry }) => ({
        ...entry,
        checkValues: [...checkValues],
      }));
      return { key: null, file: { file: step.file, sha256, checkValue: null }, constants };
    }
    case 'release-tag': {
      if (!isIntended && (await room.shelf.read(pathOf(room, step.file))) !== null)
        throw new Fault('CEREMONY_KEY_DIFFERS', {
          file: step.file,
          why: 'somebody else’s key is there already',
        });
      if (step.recipients !== undefined) return carry(room, step, step.recipients);
      const { checkValue } = await room.token.writeTagKey(pathOf(room, step.file));
      return { key: null, file: { file: step.file, sha256: null, checkValue }, constants: null };
    }
  }
}

/** The backup is on the disk before the key is in the token, and the token's key is what came out of it.
 * @throws Fault CEREMONY_KEY_DIFFERS for a key without its backup, or a backup that nobody intended */
async function generateBackedUp(
  room: Room,
  step: Extract<PlanStep, { readonly do: 'generate' }>,
  { stands, isIntended }: { readonly stands: boolean; readonly isIntended: boolean },
): Promise<Made> {
  const { key } = step;
  const backup = step.backup;
  if (backup === null) throw new RangeError('a step without backup');
  const path = pathOf(room, backup.file);
  let wrapped = await room.shelf.read(path);
  if (stands && wrapped === null)
    throw new Fault('CEREMONY_KEY_DIFFERS', { key, why: 'it is in the token, and its backup is not there' });
  if (!stands && wrapped !== null && !isIntended)
    throw new Fault('CEREMONY_KEY_DIFFERS', { key, why: 'a backup is there before the key', file: path });
  const components = sourcesOf(room, backup.components);
  if (wrapped === null) {
    wrapped = await room.token.wrapNewborn(components);
    await room.shelf.write(path, wrapped);
  }
  if (!stands) await room.token.unwrap(key, wrapped, { method: 'aes-kwp', components }, null);
  const sha256 = toHex(room.crypto.sha256(wrapped));
  return { ...(await readBack(room, key)), file: { file: backup.file, sha256, checkValue: null } };
}

/** A key that was intended and not written down serves nobody yet: it is drawn anew. */
async function carry(
  room: Room,
  { controller, file }: Extract<PlanStep, { readonly do: 'release-tag' }>,
  recipients: readonly Recipient[],
): Promise<Made> {
  const cargo = { ceremony: room.plan.id, controller };
  const { checkValue, keys } = await room.token.carryTagKey(cargo, recipients);
  const parts = recipients.map(({ name }, at) => ({ recipient: name, key: keys[at] ?? '' }));
  const carried = { contract: 'holdfast/carried-key-1', ...cargo, parts } as const;
  const bytes = fromText(`${JSON.stringify(carried, null, 2)}\n`);
  await room.shelf.write(pathOf(room, file), bytes);
  const sha256 = toHex(room.crypto.sha256(bytes));
  const carriedTo = sentOf(carried, room.crypto);
  return { key: null, file: { file, sha256, checkValue, carriedTo }, constants: null };
}
