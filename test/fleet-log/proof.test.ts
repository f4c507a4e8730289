import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromText } from '../../runtime/core/bytes.ts';
import { readPolicy } from '../../runtime/core/log/policy.ts';
import { judgeProof, type LogProof, proofText, readProof } from '../../runtime/core/log/proof.ts';
import { inProcess } from '../cli/support.ts';
import { type CertifiedUnits, certifiedUnits } from './certified-units.ts';
import { meansOf } from './grown-log.ts';

const top = mkdtempSync(join(tmpdir(), 'holdfast-proof-'));
after(() => rmSync(top, { recursive: true }));
const at = (name: string): string => join(top, name);
let fleet: CertifiedUnits;

/** The last unit of the line: its leaf is not the first. */
const unit = () => fleet.records[0] ?? assert.fail();

const fetch = (...args: readonly string[]) =>
  inProcess(
    ['fleet', 'proof', '--eid', unit().eid, '--to', at('unit.tlog-proof'), '--policy', at('policy'), ...args],
    meansOf(fleet.store),
  );
const verify = (record: string, policy = at('policy'), proof = at('unit.tlog-proof')) =>
  inProcess(['proof', 'verify', proof, '--record', record, '--policy', policy], {
    ceremony: meansOf(fleet.store).ceremony ?? assert.fail(),
  });

before(async () => {
  fleet = await certifiedUnits(2);
  writeFileSync(at('policy'), fleet.policyText);
});

describe('a birth certificate', () => {
  it('is not written before enough witnesses have cosigned', async () => {
    const nobody = await fetch();
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /\(PROOF_INCOMPLETE\)/);
    await fleet.witness('c');
    assert.match((await fetch()).err, /cosigned=?:? ?c\b/);
    await fleet.witness('a');
  });

  it('verifies with record and policy alone, and says what was logged, when and before whom', async () => {
    const { code, out, err } = await fetch('--record', at('record.json'));
    assert.equal(code, 0, err);
    assert.match(out, /leaf \d+ of \d+, cosigned by 2 witnesses/);
    assert.deepEqual(new Uint8Array(readFileSync(at('record.json'))), Uint8Array.from(unit().record));
    const verified = await verify(at('record.json'));
    assert.equal(verified.code, 0, verified.err);
    assert.match(verified.out, new RegExp(`EID +${unit().eid}`));
    assert.match(verified.out, /cosigned +\S+Z by a\ncosigned +\S+Z by c\nVERIFIED\n$/);
  });

  it('proves nothing of another record, nor of this one with a letter changed', async () => {
    writeFileSync(at('other.json'), fleet.records[1]?.record ?? assert.fail());
    writeFileSync(at('changed.json'), `${readFileSync(at('record.json'), 'utf8')} `);
    for (const name of ['other.json', 'changed.json']) {
      const { code, out, err } = await verify(at(name));
      assert.equal(code, 1);
      assert.match(out, /^NOT VERIFIED: the leaf is of another record/);
      assert.match(err, /\(PROOF_INVALID\)/);
    }
  });

  it('is worth nothing under a policy that asks for more, or for another log', async () => {
    writeFileSync(at('more'), fleet.policyText.replace('two 2', 'two 3'));
    assert.match((await verify(at('record.json'), at('more'))).out, /are not enough for this policy/);
    writeFileSync(at('fewer'), fleet.policyText.replace('two 2', 'two 1'));
    assert.equal((await verify(at('record.json'), at('fewer'))).code, 0);
  });

  it('proves nothing once any part of it is another', () => {
    const proof = readProof(readFileSync(at('unit.tlog-proof'), 'utf8')) ?? assert.fail();
    const policy = readPolicy(fleet.policyText, nodeCrypto);
    const judge = (changes: Partial<LogProof>) =>
      judgeProof(proofText({ ...proof, ...changes }), unit().record, policy, nodeCrypto);
    assert.ok(typeof judge({}) !== 'string');
    const [first = new Uint8Array(32), ...rest] = proof.hashes;
    const cases: Readonly<Record<string, Partial<LogProof>>> = {
      'another index': { index: proof.index - 1 },
      'a hash less': { hashes: rest },
      'a hash more': { hashes: [first, ...proof.hashes] },
      'another hash': { hashes: [first.map((byte) => byte ^ 1), ...rest] },
      'no leaf': { extra: null },
      'another leaf': { extra: fromText('{}') },
      'another size': { checkpoint: proof.checkpoint.replace(/\n(\d+)\n/, (_, n) => `\n${Number(n) + 1}\n`) },
      'no cosignatures': { checkpoint: proof.checkpoint.replace(/\n— w\.example[^\n]*/g, '') },
    };
    for (const [name, changes] of Object.entries(cases)) assert.equal(typeof judge(changes), 'string', name);
  });

  it('is read in one form alone', () => {
    const text = readFileSync(at('unit.tlog-proof'), 'utf8');
    assert.equal(proofText(readProof(text) ?? assert.fail()), text);
    for (const wrong of [
      text.replace('@v1', '@v2'),
      text.replace('index ', 'index 0'),
      text.replace('extra ', 'extra !'),
      text.replace(/\n\n/, '\n'),
      text.replace(/^index .*\n/m, ''),
    ])
      assert.equal(readProof(wrong), null, wrong.slice(0, 60));
  });

  it('of the first version verifies for ever', async () => {
    const kept = (name: string) => join('test/vectors/birth-certificate', name);
    const { code, out } = await verify(kept('unit.record'), kept('policy.txt'), kept('unit.tlog-proof'));
    assert.equal(code, 0, out);
    assert.match(out, /VERIFIED\n$/);
  });
});
