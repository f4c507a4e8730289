/** The root's officers with keys in tokens of their own: each approves with the program and a token, as at a plant. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openPkcs11CeremonyToken } from '../../drivers/token/pkcs11/ceremony/process.ts';
import { createBareToken } from '../../drivers/token/pkcs11/provision.ts';
import { fromBase64, toHex } from '../../runtime/core/bytes.ts';
import { parseAuthority } from '../../runtime/core/pki/authority.ts';
import { parseCrl } from '../../runtime/core/pki/crl.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import { holdfast } from '../cli/support.ts';
import { approved, officersAt } from './command.ts';
import { formOf, openRootDesk, type RootDesk } from './root-desk.ts';

const POINT_BYTES = 65;
const ROOT = 'token-root';
let desk: RootDesk;

/** A token of an officer's own, and what the root's form says of its key. */
async function officerIn(name: string) {
  const key = `officer-${name}`;
  const made = await createBareToken({ directory: desk.at(`${name}-token`), label: key, role: 'officer' });
  await using token = await openPkcs11CeremonyToken({ ...made, laboratory: true, role: 'officer' });
  await token.generate(key);
  const publicKey = fromBase64((await token.readKey(key))?.publicKey ?? '').subarray(-POINT_BYTES);
  const { module, label, pinFile, softHsmConf } = made;
  desk.write(`${name}.json`, JSON.stringify({ module, label, pinFile, softHsmConf, key }));
  return { name, publicKey: toHex(publicKey) };
}

/** With the real program: SoftHSM reads its configuration once in the life of a process. */
async function approvedBy(name: string, plan: string): Promise<readonly string[]> {
  const out = `${plan}.${name}.jws`;
  const signing = ['--officer', name, '--officer-token', desk.at(`${name}.json`), '--days', '30'];
  const { code, err } = await holdfast([
    ...['pki', 'approve', plan, ...signing, '--reason', 'as planned', '--out', out],
  ]);
  assert.equal(code, 0, err);
  return ['--approval', out];
}

before(async () => {
  desk = await openRootDesk(Date.now());
  const [cyd] = await officersAt(desk, ['cyd']);
  const officers = [await officerIn('ada'), await officerIn('bob'), cyd ?? assert.fail()];
  const form = desk.write('token-form.json', JSON.stringify(formOf(officers)));
  await desk.done('pki', 'root', 'init', '--dir', desk.at(ROOT), '--form', form);
});
after(() => desk[Symbol.asyncDispose]());

const ofRoot = (verb: 'certify' | 'crl', ...more: readonly string[]) =>
  ['pki', 'root', verb, '--dir', desk.at(ROOT), ...more] as const;

describe('the offline root with officers whose keys are in tokens', () => {
  it('certifies what both tokens have signed, and nothing that one of them has', async () => {
    const [plan, out] = [desk.at('line.plan'), desk.at('line.pem')];
    const request = await desk.requestOf('line');
    await desk.done(...ofRoot('certify', '--request', request, '--as', 'line', '--plan', plan));
    const ada = await approvedBy('ada', plan);
    const execute = ofRoot('certify', '--execute', plan, '--out', out);
    await desk.refused('APPROVALS_MISSING', /given: 1/, ...execute, ...ada);
    await desk.done(...execute, ...ada, ...(await approvedBy('bob', plan)));
    const { commonName, mayIssue } = parseAuthority(desk.derOf('line.pem'), documentationIdentifiers);
    assert.deepEqual([commonName, mayIssue], ['line', true]);
  });

  it('revokes by a list that a token has signed for, and the key file of an officer of a laboratory', async () => {
    const [plan, out] = [desk.at('fall.plan'), desk.at('fall.crl.pem')];
    await desk.done(...ofRoot('crl', '--revoke', 'line', '--plan', plan));
    const approvals = [...(await approvedBy('ada', plan)), ...(await approved(desk, plan, ['cyd']))];
    await desk.done(...ofRoot('crl', '--execute', plan, '--out', out, ...approvals));
    const { serial } = parseAuthority(desk.derOf('line.pem'), documentationIdentifiers);
    const list = parseCrl(desk.listOf('fall.crl.pem'));
    assert.deepEqual([list.number, [...list.entries.keys()]], [2, [toHex(serial)]]);
  });
});
