/** The offline root by its commands: made once, certifies what officers approved and nothing else, and lists. */
import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import { parseAuthority } from '../../runtime/core/pki/authority.ts';
import { judgeChain } from '../../runtime/core/pki/chain.ts';
import { parseCrl } from '../../runtime/core/pki/crl.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import { approved, officersAt } from './command.ts';
import { makeDevice } from './hierarchy.ts';
import { openOpenssl } from './openssl.ts';
import { formOf, openRootDesk, type RootDesk } from './root-desk.ts';

const openssl = openOpenssl();
let desk: RootDesk;
before(async () => {
  desk = await openRootDesk();
});
after(async () => {
  await openssl.close();
  await desk[Symbol.asyncDispose]();
});

describe('the offline root', () => {
  it('is made once, with a list without entries, and a second time nothing changes', async () => {
    const first = desk.read('root/root.pem');
    await desk.done('pki', 'root', 'init', '--dir', desk.at('root'), '--form', desk.at('form.json'));
    assert.equal(desk.read('root/root.pem'), first);
    const list = parseCrl(desk.listOf('root/root.crl.pem'));
    assert.deepEqual([list.number, list.entries.size], [1, 0]);
  });

  it('certifies an intermediate that OpenSSL and we trust, limited to its scope, with a path length of 0', async () => {
    await desk.certified('line-1', '--batch', 'BATCH-7', '--product', 'meter');
    const parsed = parseAuthority(desk.derOf('line-1.pem'), documentationIdentifiers);
    assert.deepEqual([parsed.commonName, parsed.pathLength, parsed.mayIssue], ['line-1', 0, true]);
    assert.deepEqual(parsed.scope, { product: 'meter', batch: 'BATCH-7', region: null });
    const chain = {
      device: desk.derOf('line-1.pem'),
      intermediates: [],
      roots: [desk.derOf('root/root.pem')],
      crls: [desk.listOf('root/root.crl.pem')],
      nowMs: desk.time.nowMs,
    };
    assert.equal(await openssl.verdict(chain), 'OK');
  });

  it('takes of a request its key alone: not a name, not an extension', async () => {
    const asks = ['-addext', 'basicConstraints=critical,CA:TRUE,pathlen:5', '-addext', 'nsComment=mine'];
    const request = await desk.requestOf('greedy', ...asks);
    const plan = desk.at('greedy.plan');
    await desk.done(...desk.certify('--request', request, '--as', 'greedy', '--plan', plan));
    await desk.done(
      ...desk.certify(
        '--execute',
        plan,
        ...(await approved(desk, plan, ['ada', 'cyd'])),
        '--out',
        desk.at('greedy.pem'),
      ),
    );
    const parsed = parseAuthority(desk.derOf('greedy.pem'), documentationIdentifiers);
    assert.deepEqual([parsed.pathLength, parsed.commonName, parsed.unknownCritical], [0, 'greedy', []]);
    const text = await openssl.print(['x509', '-noout', '-text'], desk.read('greedy.pem'));
    assert.doesNotMatch(text, /mine|whoever/);
  });

  it('answers a plan that was executed with the same certificate, and certifies no name twice', async () => {
    await desk.certified('line-2');
    const first = desk.read('line-2.pem');
    desk.time.nowMs += 30 * 86_400_000;
    await desk.done(...desk.certify('--execute', desk.at('line-2.plan'), '--out', desk.at('again.pem')));
    assert.equal(desk.read('again.pem'), first);
    const plan = desk.at('second.plan');
    await desk.done(
      ...desk.certify('--request', await desk.requestOf('other'), '--as', 'line-2', '--plan', plan),
    );
    const approvals = await approved(desk, plan, ['ada', 'bob']);
    await desk.refused(
      'ROOT_REFUSED',
      /name/,
      ...desk.certify('--execute', plan, ...approvals, '--out', desk.at('no.pem')),
    );
  });

  it('lists an intermediate that falls: standard verifiers and we refuse its units, a sibling’s live', async () => {
    await desk.certified('falling');
    await desk.certified('standing');
    const plan = desk.at('crl.plan');
    await desk.done(...desk.crl('--revoke', 'falling', '--plan', plan));
    await desk.done(
      ...desk.crl(
        '--execute',
        plan,
        ...(await approved(desk, plan, ['bob', 'cyd'])),
        '--out',
        desk.at('root.crl.pem'),
      ),
    );
    const list = parseCrl(desk.listOf('root.crl.pem'));
    const falling = parseAuthority(desk.derOf('falling.pem'), documentationIdentifiers);
    assert.deepEqual([list.number, [...list.entries.keys()]], [2, [toHex(falling.serial)]]);
    for (const [name, verdict] of [
      ['falling', /revoked/],
      ['standing', /^OK$/],
    ] as const) {
      const chain = {
        device: desk.derOf(`${name}.pem`),
        intermediates: [],
        roots: [desk.derOf('root/root.pem')],
        crls: [desk.listOf('root.crl.pem')],
        nowMs: desk.time.nowMs,
      };
      assert.match(await openssl.verdict(chain), verdict);
    }
    const stale = desk.write(
      'forgets.plan',
      JSON.stringify({ ...JSON.parse(desk.read('crl.plan')), number: 3, revoked: [] }),
    );
    const approvals = await approved(desk, stale, ['ada', 'bob']);
    await desk.refused(
      'ROOT_REFUSED',
      /forgets/,
      ...desk.crl('--execute', stale, ...approvals, '--out', desk.at('no.pem')),
    );
    const low = desk.write('low.plan', JSON.stringify({ ...JSON.parse(desk.read('crl.plan')), number: 1 }));
    const lowApprovals = await approved(desk, low, ['ada', 'bob']);
    await desk.refused(
      'ROOT_REFUSED',
      /number/,
      ...desk.crl('--execute', low, ...lowApprovals, '--out', desk.at('no.pem')),
    );
  });

  it('may have a P-384 key: intermediates on P-256 are signed with SHA-384', async () => {
    const form = formOf(await officersAt(desk, ['ada', 'bob', 'cyd']), { commonName: 'Desk root 384' });
    desk.write('long.json', JSON.stringify(form));
    await desk.done(
      'pki',
      'root',
      'init',
      '--p384',
      '--dir',
      desk.at('long'),
      '--form',
      desk.at('long.json'),
    );
    const plan = desk.at('long.plan');
    const long = (...more: readonly string[]) => [
      'pki',
      'root',
      'certify',
      '--dir',
      desk.at('long'),
      ...more,
    ];
    await desk.done(...long('--request', await desk.requestOf('long-1'), '--as', 'long-1', '--plan', plan));
    await desk.done(
      ...long(
        '--execute',
        plan,
        ...(await approved(desk, plan, ['ada', 'bob'])),
        '--out',
        desk.at('long-1.pem'),
      ),
    );
    const parsed = parseAuthority(desk.derOf('long-1.pem'), documentationIdentifiers);
    assert.deepEqual([parsed.algorithm, parsed.publicKey.length], ['es384', 65]);
    const key = { publicKey: parsed.publicKey };
    const device = makeDevice(
      { key: key as never, parsed, certificate: parsed.whole },
      'idevid',
      {},
      {
        ...key,
        signNow: (message) => signWith(desk.read('long-1.key'), message),
        sign: async () => fromHex(''),
      },
    );
    const question = {
      device: device.certificate,
      intermediates: [parsed.whole],
      roots: [desk.derOf('long/root.pem')],
      crls: null,
      trustList: null,
      time: 'now',
      nowMs: desk.time.nowMs,
      identifiers: documentationIdentifiers,
    } as const;
    assert.deepEqual(judgeChain(question, nodeCrypto), []);
    assert.equal(await openssl.verdict(question), 'OK');
  });
});

function signWith(pem: string, message: Uint8Array): Uint8Array {
  return sign('sha256', message, { key: createPrivateKey(pem), dsaEncoding: 'ieee-p1363' });
}
