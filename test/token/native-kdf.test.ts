/** The EID-KDF by CKM_SP800_108_COUNTER_KDF on NSS gives the keys that SoftHSM gives by the portable path. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { OTHER_EID, readConstants, TEST_EID } from '../../drivers/token/pkcs11/constants.ts';
import { createGatewayToken, type GatewayToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token } from '../../drivers/token/pkcs11/token.ts';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import { cmac } from '../../runtime/core/crypto/cmac.ts';
import type { Kdf } from '../../runtime/core/key-policy.ts';
import type { KeySet } from '../../runtime/core/token.ts';
import { contractKeyVersions, contractMasters, contractSigningKeys } from '../contracts/token-support.ts';
import type { NssDerived, NssReply, NssSet } from './nss-child.ts';

const MASTERS = ['transport-master', 'transport-master-aes-256', 'mdk-1', 'mdk-1-aes-256'] as const;

/** Debian's softokn, by the architecture's triplet. */
function softokn(): string {
  const places = readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'libsoftokn3.so'));
  return places.find(existsSync) ?? assert.fail('libnss3 is missing');
}

const directory = mkdtempSync(join(tmpdir(), 'holdfast-kdf-'));
const wanted = Object.fromEntries(MASTERS.map((name) => [name, contractMasters[name]]));

let place: GatewayToken;
let derived: NssDerived;
before(async () => {
  place = await createGatewayToken({
    directory: join(directory, 'token'),
    label: 'gateway',
    masters: contractMasters,
    keyVersions: contractKeyVersions,
    signingKeys: contractSigningKeys,
  });
  derived = await onNss('sp800-108', wanted);
});
after(() => rmSync(directory, { recursive: true, force: true }));

async function onNss(kdf: Kdf, masters: Readonly<Record<string, Uint8Array>>): Promise<NssDerived> {
  const child = fork(new URL('./nss-child.js', import.meta.url), { serialization: 'advanced', execArgv: [] });
  const reply = await new Promise<NssReply>((resolve, reject) => {
    child.once('message', (message) => resolve(message as NssReply));
    child.once('exit', () => reject(new Error('NSS ended')));
    const eids = [TEST_EID, OTHER_EID];
    child.send({ module: softokn(), directory, constantsFile: place.constantsFile, kdf, masters, eids });
  });
  child.disconnect();
  assert.ok('sets' in reply, JSON.stringify(reply));
  return reply;
}

function keysOf({ master, keyVersion, eid }: NssSet): KeySet {
  const algorithm = master.endsWith('-aes-256') ? 'aes-256' : 'aes-128';
  return master.startsWith('mdk-')
    ? { origin: 'fleet', algorithm, generation: 1, eid, keyVersion }
    : { origin: 'transport', scheme: 'eid-kdf-1', algorithm, eid, keyVersion };
}

describe('the EID-KDF as a native mechanism', () => {
  it('gives on NSS the check values that SoftHSM gives portably, for every set of both lengths, and no others', async () => {
    const { sets } = derived;
    assert.equal(sets.length, 2 * (2 * 2 + 2 * 1));
    await using softHsm = await openPkcs11Token({ ...place, laboratory: true });
    for (const set of sets)
      assert.deepEqual(set.checkValues, await softHsm.checkValues(keysOf(set)), set.master);
    assert.equal(new Set(sets.map((set) => set.checkValues.join())).size, sets.length);
  });

  it('gives the published vectors of both lengths', async () => {
    const { sets } = derived;
    const valuesOf = (master: string) =>
      sets.find((set) => set.master === master && set.keyVersion === 0x31 && set.eid === TEST_EID)
        ?.checkValues;
    assert.deepEqual(valuesOf('mdk-1'), ['bb9a9a', '114149', 'a58282']);
    assert.deepEqual(valuesOf('mdk-1-aes-256'), ['70f057', 'ff4386', 'af68ca']);
  });

  it('gives other keys from another master, so that the check at start would tell', async () => {
    const { sets } = await onNss('sp800-108', { 'mdk-1': contractMasters['transport-master'] });
    for (const set of sets) assert.notDeepEqual(set.checkValues[0], 'bb9a9a');
  });

  it('needs no constants: a ceremony writes the check values of the test EID alone, the portable ones', async () => {
    const { entries } = derived;
    const portable = readConstants(place.constantsFile).entries;
    assert.equal(entries.length, 2 * 2 + 2 * 1);
    for (const { master, keyVersion, ivs, checkValues } of entries) {
      const known = portable.find((one) => one.master === master && one.keyVersion === keyVersion);
      assert.deepEqual(checkValues, known?.checkValues, master);
      assert.deepEqual(
        ivs.map(({ length }) => length),
        [0, 0, 0],
      );
    }
  });

  it('knows a native master by the check value of the key that it derives from a label and an EID of zeros', async () => {
    const { masters } = derived;
    const block = fromHex(`${'00'.repeat(13)}008001${'00'.repeat(16)}`);
    for (const name of MASTERS) {
      const cipher = (data: Uint8Array) => nodeCrypto.aesEncryptBlock(contractMasters[name], data);
      const value = nodeCrypto.aesEncryptBlock(cmac(cipher, block), new Uint8Array(16));
      assert.equal(masters[name], toHex(value).slice(0, 6), name);
    }
  });
});
