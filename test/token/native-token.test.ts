/** A token that derives natively and enforces it, from its ceremony to a chip that gets its keys. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createDecipheriv } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openDirectoryShelf } from '../../drivers/shelf/directory.ts';
import { openPkcs11CeremonyToken } from '../../drivers/token/pkcs11/ceremony/process.ts';
import { readConstants } from '../../drivers/token/pkcs11/constants.ts';
import {
  createBareToken,
  type LaboratoryToken,
  SOFTHSM_MODULE,
} from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token } from '../../drivers/token/pkcs11/token.ts';
import { conduct } from '../../runtime/cli/ceremony/conduct.ts';
import { type Bytes, fromHex, xor } from '../../runtime/core/bytes.ts';
import type { CeremonyRecord } from '../../runtime/core/ceremony/record.ts';
import { verifyRecord } from '../../runtime/core/ceremony/verification.ts';
import type { Kdf } from '../../runtime/core/key-policy.ts';
import type { Token } from '../../runtime/core/token.ts';
import { components, custody, planOf, roomOf, trusted, withCode } from '../ceremony/room.ts';
import { EID, FLEET, getData, openOn, roundTrip, TRANSPORT } from '../contracts/token-support.ts';
import { checkValuesOf, createCardModel, deriveSet } from './card-model.ts';

const kek = xor(fromHex(custody.carla.component), fromHex(custody.dario.component));
const token = { role: 'gateway', label: 'gateway', serial: null, class: 'software', kdf: 'sp800-108' };
const steps = [
  { do: 'generate', key: 'constants-seal' },
  { do: 'generate', key: 'mdk-1', backup: { file: 'mdk-1.wrapped', components } },
  { do: 'generate', key: 'mdk-1-aes-256' },
  { do: 'join', key: 'transport-master', components },
  {
    do: 'constants',
    file: 'constants.json',
    keyVersions: { 'mdk-1': [0x31], 'mdk-1-aes-256': [0x31], 'transport-master': [0x30] },
  },
];

let directory = '';
let place: LaboratoryToken;
let record: CeremonyRecord;
const at = (name: string): string => join(directory, name);

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-native-'));
  const module = at('native.so');
  const define = `-DREAL_MODULE="${SOFTHSM_MODULE}"`;
  const source = join('test', 'token', 'native-module.c');
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', define, source, '-o', module, '-ldl']);
  place = await createBareToken({ directory: at('token'), label: 'gateway', role: 'gateway', module });
  for (const [name, { component }] of Object.entries(custody))
    writeFileSync(at(`${name}.key`), component, { mode: 0o600 });
  await using hsm = await inRoom('sp800-108');
  const jws = await conduct({
    ...(await roomOf(planOf({ token, steps }))),
    token: hsm,
    shelf: openDirectoryShelf(),
    directory,
    componentFiles: new Map(Object.keys(custody).map((who) => [who, at(`${who}.key`)])),
  });
  ({ record } = verifyRecord(jws, trusted, nodeCrypto));
});
after(() => rm(directory, { recursive: true, force: true }));

const inRoom = (kdf: Kdf) => openPkcs11CeremonyToken({ ...place, laboratory: true, role: 'gateway', kdf });
const gateway = (kdf: Kdf): Promise<Token & AsyncDisposable> =>
  openPkcs11Token({ ...place, constantsFile: at('constants.json'), laboratory: true, kdf });

/** The fleet's master, which only its custodians together can see. */
function masterInBackup(): Bytes {
  const decipher = createDecipheriv('id-aes256-wrap-pad', kek, Buffer.from('a65959a6', 'hex'));
  return Buffer.concat([decipher.update(readFileSync(at('mdk-1.wrapped'))), decipher.final()]);
}

describe('a token whose masters derive natively', () => {
  it('tells of each, however it came, that it does this mechanism and no other, and needs no constants', () => {
    for (const { key } of record.steps.slice(1, 4))
      assert.deepEqual(key?.objects[0]?.attributes.ALLOWED_MECHANISMS, ['SP800_108_COUNTER_KDF'], key?.key);
    assert.deepEqual(
      record.steps.slice(1, 4).map(({ key }) => key?.origin),
      ['outside', 'inside', 'outside'],
    );
    for (const { ivs } of readConstants(at('constants.json')).entries)
      assert.ok(ivs.every(({ length }) => length === 0));
  });

  it('gives a chip the keys that the masters make portably, in a dialogue whose session keys stay portable', async () => {
    await using hsm = await gateway('sp800-108');
    const master = masterInBackup();
    const [transport, fleet] = [deriveSet(Buffer.from(kek), 0, 0x30, EID), deriveSet(master, 1, 0x31, EID)];
    assert.deepEqual(await hsm.checkValues(TRANSPORT), checkValuesOf(transport));
    assert.deepEqual(await hsm.checkValues(FLEET), checkValuesOf(fleet));
    const card = createCardModel(new Map([[0x30, transport]]));
    const channel = await openOn(hsm, card, TRANSPORT);
    const commands = await hsm.wrap(channel, [{ keys: FLEET, form: 'block-only' }]);
    const [answer] = await hsm.unwrap(
      channel,
      commands.map((command) => card.transmit(command)),
    );
    assert.equal(answer?.statusWord, 0x9000);
    assert.deepEqual(card.sets.get(0x31), fleet);
    await roundTrip(hsm, await openOn(hsm, card, FLEET), card, [getData]);
  });

  it('starts no gateway of the other setting, and refuses a master every other mechanism', async () => {
    const start = async (): Promise<void> => {
      await using hsm = await gateway('cbc-data');
      await hsm.describe();
    };
    await assert.rejects(
      start(),
      withCode('KEY_POLICY_BROKEN', { attribute: 'CKA_ALLOWED_MECHANISMS', key: /^mdk-1|^transport-master/ }),
    );
    await using portably = await inRoom('cbc-data');
    for (const key of ['mdk-1', 'transport-master'])
      await assert.rejects(portably.readKey(key), withCode('HSM_FAILED', { ckr: 'CKR_MECHANISM_INVALID' }));
  });
});
