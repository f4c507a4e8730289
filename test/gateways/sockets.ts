/** What officers do on a running line: the command line as they type it, at the sockets of the real programs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { toText } from '../../runtime/core/bytes.ts';
import { readLeaf } from '../../runtime/core/log/leaf.ts';
import { hashOf } from '../../runtime/core/messages/envelope.ts';
import { planHashOf } from '../../runtime/core/pki/root.ts';
import { identityRecord } from '../../runtime/core/record/identity-record.ts';
import { ceremonyDirectory } from '../../scripts/laboratory/ceremony.ts';
import { approveSubject, OFFICERS } from '../../scripts/laboratory/root.ts';
import { holdfast } from '../cli/support.ts';
import type { Rig } from '../doors/rig.ts';

/** What OpenSSL says of a unit's certificate, with the lists that the line publishes. */
function judged(rig: Rig, der: string): string {
  const unit = join(rig.places.root, 'unit.pem');
  const lines = der.match(/.{1,64}/g) ?? [];
  writeFileSync(unit, `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`);
  const { crl, pki, offlineRoot } = rig.places;
  const lists = ['root.crl.pem', 'line-1.crl.pem'].flatMap((name) => ['-CRLfile', join(crl, name)]);
  const chain = ['-CAfile', join(offlineRoot, 'root.pem'), '-untrusted', join(pki, 'issuer.pem')];
  const command = ['openssl', 'verify', '-x509_strict', '-crl_check_all', ...lists, ...chain, unit];
  return execFileSync('sh', ['-c', '"$@" 2>&1 || true', 'sh', ...command], { encoding: 'utf8' });
}

/** Claims of a line on which two units were released. */
export function socketClaims(rig: () => Rig): void {
  const at = (name: string): string => join(rig().places.root, name);
  const typed = async (...words: readonly string[]): Promise<string> => {
    const { code, out, err } = await holdfast([...words, '--dir', at('.')]);
    assert.equal(code, 0, err);
    return out;
  };

  it('takes a revocation at its sockets: the backend commits it, and the gateway publishes the list that OpenSSL goes by', async () => {
    const records = await rig().fleet((tx) => tx.listRecords(10));
    const [lost, kept] = records.map((row) => identityRecord.parse(JSON.parse(toText(row.record))));
    assert.ok(lost !== undefined && kept !== undefined);
    assert.ok('der' in lost.certificate && 'der' in kept.certificate);
    assert.match(judged(rig(), lost.certificate.der), /OK/);
    const plan = at('plan.json');
    await typed('pki', 'revoke', '--eid', lost.eid, '--reason', 'keyCompromise', '--plan', plan);
    const subject = planHashOf(JSON.parse(readFileSync(plan, 'utf8')) as object, nodeCrypto);
    const approvals = await Promise.all(
      OFFICERS.map(async (name) => {
        const approval = { subject, purpose: 'revocation', nowMs: Date.now() } as const;
        writeFileSync(at(`${name}.jws`), await approveSubject(rig().places, name, approval));
        return ['--approval', at(`${name}.jws`)];
      }),
    );
    const alone = await holdfast(
      ['pki', 'revoke', '--execute', plan, ...(approvals[0] ?? []), '--dir', rig().places.root],
      {},
    );
    assert.deepEqual([alone.code, /APPROVALS_MISSING/.test(alone.err)], [1, true], alone.err);
    assert.match(judged(rig(), lost.certificate.der), /OK/);
    const out = await typed('pki', 'revoke', '--execute', plan, ...approvals.flat());
    assert.match(out, /^revoked 1 certificates and 0 intermediates$/m);
    assert.match(out, /^list {4}line-1 number \d+: 1 certificates/m);
    assert.match(judged(rig(), lost.certificate.der), /certificate revoked/);
    assert.match(judged(rig(), kept.certificate.der), /OK/);
  });

  it('takes at its socket the record of the ceremony that made the gateway’s token, which is the first leaf of the log', async () => {
    const place = ceremonyDirectory(rig().places);
    const record = join(place, 'record.jws');
    const trusted = ['--trusted', join(rig().places.backend, 'backend.json')];
    const witness = ['--witness', join(place, 'officer-2.witness.jws')];
    const hash = hashOf(readFileSync(record, 'utf8').trim(), nodeCrypto);
    const out = await typed('ceremony', 'link', record, ...trusted, ...witness);
    assert.equal(out, `${hash} is leaf 0 of laboratory.holdfast.example/log\n`);
    const [first] = await rig().fleet((tx) => tx.leaves(0, 1));
    const leaf = readLeaf(first?.entry ?? new Uint8Array(0));
    assert.deepEqual([leaf?.kind, leaf?.body.recordHash], ['ceremony', hash]);
    const { code, err } = await holdfast([
      'ceremony',
      'link',
      record,
      ...trusted,
      '--dir',
      rig().places.root,
      ...['--socket', at('nobody.sock')],
    ]);
    assert.deepEqual([code, /INSTRUCTION_UNREACHABLE/.test(err)], [1, true], err);
  });
}
