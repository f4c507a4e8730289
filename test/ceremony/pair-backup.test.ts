/** Backup and restore of private keys: the root's, and those of intermediates. */
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openDirectoryShelf } from '../../drivers/shelf/directory.ts';
import { createInMemoryShelf } from '../../drivers/shelf/in-memory.ts';
import { openPkcs11CeremonyToken } from '../../drivers/token/pkcs11/ceremony/process.ts';
import { createBareToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Signer } from '../../drivers/token/pkcs11/signer.ts';
import { conduct } from '../../runtime/cli/ceremony/conduct.ts';
import { type Bytes, fromText, toText } from '../../runtime/core/bytes.ts';
import type { CeremonyPlan } from '../../runtime/core/ceremony/plan.ts';
import type { CeremonyRecord } from '../../runtime/core/ceremony/record.ts';
import { verifyRecord } from '../../runtime/core/ceremony/verification.ts';
import { components, custody, planOf, type Room, roomOf, trusted, withCode } from './room.ts';

const KEY = 'root-restorable';
const token = { role: 'root', label: 'gateway', serial: null, class: 'software' };
const rootPlan = (...steps: readonly object[]): CeremonyPlan => planOf({ token, steps });
const making = rootPlan({ do: 'key-pair', key: KEY, backup: { file: 'root.backup', components } });
const restoring = (publicKey: string): CeremonyPlan =>
  rootPlan({ do: 'restore-pair', key: KEY, file: 'root.backup', components, publicKey });

const BACKUP = 'record/root.backup';
const backupIn = ({ shelf }: Room): Bytes => shelf.files.get(BACKUP) ?? assert.fail();
const publicKeyIn = ({ steps }: CeremonyRecord): string => steps[0]?.key?.publicKey ?? assert.fail();

async function made(): Promise<{ readonly room: Room; readonly record: CeremonyRecord }> {
  const room = await roomOf(making);
  return { room, record: verifyRecord(await conduct(room), trusted, nodeCrypto).record };
}

/** Another room with another token, into which the backup was brought. */
async function laterRoom(plan: CeremonyPlan, backup: Bytes): Promise<Room> {
  const room = await roomOf(plan);
  room.shelf.files.set(BACKUP, backup);
  return room;
}

describe('a key pair with a backup', () => {
  it('is what came out of its backup, and comes into another token as the same pair; the records say so', async () => {
    const { room, record } = await made();
    const [first] = record.steps;
    assert.deepEqual([first?.key?.origin, first?.file?.file], ['outside', 'root.backup']);
    const later = await laterRoom(restoring(publicKeyIn(record)), backupIn(room));
    const restored = verifyRecord(await conduct(later), trusted, nodeCrypto).record;
    assert.equal(publicKeyIn(restored), publicKeyIn(record));
    assert.equal(restored.steps[0]?.key?.origin, 'outside');
    assert.deepEqual(later.token.keys.get(KEY)?.value, room.token.keys.get(KEY)?.value);
    assert.ok(later.shelf.files.has(`record/${KEY}.pub.pem`));
  });

  it('is not restored from the backup of another key, from an altered one, or with another custodian’s component', async () => {
    const { room, record } = await made();
    const plan = restoring(publicKeyIn(record));
    const text = toText(backupIn(room));
    const renamed = text.replace('"root-restorable"', '"root-p384-restorable"');
    const fields = JSON.parse(text) as { publicKey: string };
    const claimed = JSON.stringify({ ...fields, publicKey: `A${fields.publicKey.slice(1)}` });
    for (const [backup, why] of [
      [renamed, /no backup of it/],
      ['{}', /no backup of it/],
      [claimed, /of another key/],
    ] as const) {
      const other = await laterRoom(plan, fromText(backup));
      await assert.rejects(conduct(other), withCode('CEREMONY_KEY_DIFFERS', { why }));
      assert.equal(other.token.keys.size, 0);
    }
    const other = await laterRoom(restoring(JSON.parse(claimed).publicKey), fromText(claimed));
    await assert.rejects(conduct(other), withCode('CEREMONY_KEY_DIFFERS', { why: /belongs to another/ }));
    const files = new Map([
      ['carla.key', custody.carla.component],
      ['dario.key', custody.carla.component],
    ]);
    const alone = await roomOf(plan, { token: { components: files } });
    alone.shelf.files.set(BACKUP, backupIn(room));
    await assert.rejects(conduct(alone), withCode('CEREMONY_COMPONENT_WRONG', { custodian: 'dario' }));
    assert.equal(alone.token.keys.size + other.token.keys.size, 0);
  });

  it('is made once, with the backup that is on the disk, after a power cut at any moment', async () => {
    for (let strike = 1; ; strike++) {
      let moments = 0;
      let striking = true;
      const moment = (): void => {
        moments++;
        if (striking && moments === strike) throw new Error('the power failed');
      };
      const files = new Map(
        Object.entries(custody).map(([name, { component }]) => [`${name}.key`, component]),
      );
      const options = { shelf: createInMemoryShelf(moment), token: { onChange: moment, components: files } };
      const room = await roomOf(making, options);
      const died = await conduct(room).then(
        () => false,
        () => true,
      );
      striking = false;
      const { record } = verifyRecord(await conduct(room), trusted, nodeCrypto);
      const backup = JSON.parse(toText(backupIn(room))) as { publicKey: string };
      assert.equal(publicKeyIn(record), backup.publicKey, `moment ${strike}`);
      if (died) continue;
      room.shelf.files.delete('record/record.jws');
      room.shelf.files.delete(BACKUP);
      await assert.rejects(conduct(room), withCode('CEREMONY_KEY_DIFFERS', { why: /backup is not/ }));
      break;
    }
  });
});

describe('a root with a backup on SoftHSM', () => {
  let directory = '';
  const at = (name: string): string => join(directory, name);
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-pairs-'));
    for (const [name, { component }] of Object.entries(custody))
      writeFileSync(at(`${name}.key`), `${component}\n`, { mode: 0o600 });
  });
  after(() => rm(directory, { recursive: true, force: true }));

  /** Into a fresh token of its own, whose place is answered too. */
  async function carriedOut(plan: CeremonyPlan, name: string) {
    const place = await createBareToken({ directory: at(name), label: 'gateway', role: 'root' });
    await using hsm = await openPkcs11CeremonyToken({ ...place, laboratory: true, role: 'root' });
    const jws = await conduct({
      ...(await roomOf(plan)),
      token: hsm,
      shelf: openDirectoryShelf(),
      directory: at('record'),
      componentFiles: new Map(Object.keys(custody).map((who) => [who, at(`${who}.key`)])),
    });
    return { place, record: verifyRecord(jws, trusted, nodeCrypto).record };
  }

  it('signs from its second token what verifies under the key of the first', async () => {
    const { record } = await carriedOut(making, 'first');
    await rm(at('first'), { recursive: true });
    const file = join(directory, 'record', 'root.backup');
    const plan = restoring(publicKeyIn(record));
    const moved = { ...plan, steps: plan.steps.map((step) => ({ ...step, file: at('root.backup') })) };
    await rename(file, at('root.backup'));
    await rm(at('record'), { recursive: true });
    const { place } = await carriedOut(planOf(moved), 'second');
    process.env.SOFTHSM2_CONF = place.softHsmConf;
    await using signer = await openPkcs11Signer({ ...place, key: KEY });
    const key = { key: Buffer.from(publicKeyIn(record), 'base64'), format: 'der', type: 'spki' } as const;
    const open = { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' } as const;
    const message = fromText('a list of the root');
    assert.ok(verify('sha256', message, open, await signer.sign(message)));
  });
});
