/** The offline root by its commands: made once, certifies what officers approved and nothing else, and lists. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromHex, toHex } from '../../runtime/core/bytes.ts';
import { parseAuthority } from '../../runtime/core/pki/authority.ts';
import { judgeChain } from '../../runtime/core/pki/chain.ts';
import { parseCrl } from '../../runtime/core/pki/crl.ts';
import { fromPem } from '../../runtime/core/pki/pem.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import { approved, type Desk, officersAt, openDesk } from './command.ts';
import { makeDevice, NOW_MS } from './hierarchy.ts';
import { openOpenssl } from './openssl.ts';

const run = promisify(execFile);
let desk: Desk;
const openssl = openOpenssl();
let nowMs = NOW_MS;

const formOf = (officers: readonly object[], changes: object = {}) => ({
  contract: 'holdfast/root-1',
  commonName: 'Desk root',
  key: { file: 'root.key' },
  quorum: { required: 2, officers: ['ada', 'bob', 'cyd'] },
  officers,
  hardwareType: documentationIdentifiers.hardwareType,
  batchExtension: documentationIdentifiers.manufacturing,
  scopeExtension: documentationIdentifiers.scope,
  crlDays: 365,
  ...changes,
});

before(async () => {
  desk = openDesk({ nowMs: () => nowMs });
  const officers = await officersAt(desk, ['ada', 'bob', 'cyd']);
  desk.write('form.json', JSON.stringify(formOf(officers)));
  await done('pki', 'root', 'init', '--dir', desk.at('root'), '--form', desk.at('form.json'));
});
after(async () => {
  await openssl.close();
  await desk[Symbol.asyncDispose]();
});

async function done(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await desk.holdfast(...args);
  assert.equal(code, 0, err);
  return out;
}

async function refused(code: string, why: RegExp, ...args: readonly string[]): Promise<void> {
  const ended = await desk.holdfast(...args);
  assert.equal(ended.code, 1, ended.out);
  assert.match(ended.err, new RegExp(code));
  assert.match(ended.err, why);
}

/** A PKCS#10 request made by OpenSSL, which may ask for whatever it likes. */
async function requestOf(name: string, ...more: readonly string[]): Promise<string> {
  const [key, csr] = [desk.at(`${name}.key`), desk.at(`${name}.csr`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  await run('openssl', ['req', '-new', ...curve, '-subj', `/CN=${name}/O=whoever`, '-out', csr, ...more]);
  return csr;
}

const certify = (...more: readonly string[]) => ['pki', 'root', 'certify', '--dir', desk.at('root'), ...more];
const crl = (...more: readonly string[]) => ['pki', 'root', 'crl', '--dir', desk.at('root'), ...more];
const derOf = (file: string): Uint8Array => fromPem('CERTIFICATE', desk.read(file))[0] ?? assert.fail();
const listOf = (file: string): Uint8Array => fromPem('X509 CRL', desk.read(file))[0] ?? assert.fail();

/** Plans, has approved and executes the certificate of an intermediate. */
async function certified(name: string, ...scope: readonly string[]): Promise<void> {
  const plan = desk.at(`${name}.plan`);
  await done(...certify('--request', await requestOf(name), '--as', name, '--plan', plan, ...scope));
  await done(
    ...certify(
      '--execute',
      plan,
      ...(await approved(desk, plan, ['ada', 'bob'])),
      '--out',
      desk.at(`${name}.pem`),
    ),
  );
}

describe('the offline root', () => {
  it('is made once, with a list without entries, and a second time nothing changes', async () => {
    const first = desk.read('root/root.pem');
    await done('pki', 'root', 'init', '--dir', desk.at('root'), '--form', desk.at('form.json'));
    assert.equal(desk.read('root/root.pem'), first);
    const list = parseCrl(listOf('root/root.crl.pem'));
    assert.deepEqual([list.number, list.entries.size], [1, 0]);
  });

  it('certifies an intermediate that OpenSSL and we trust, limited to its scope, with a path length of 0', async () => {
    await certified('line-1', '--batch', 'BATCH-7', '--product', 'meter');
    const parsed = parseAuthority(derOf('line-1.pem'), documentationIdentifiers);
    assert.deepEqual([parsed.commonName, parsed.pathLength, parsed.mayIssue], ['line-1', 0, true]);
    assert.deepEqual(parsed.scope, { product: 'meter', batch: 'BATCH-7', region: null });
    const chain = {
      device: derOf('line-1.pem'),
      intermediates: [],
      roots: [derOf('root/root.pem')],
      crls: [listOf('root/root.crl.pem')],
      nowMs,
    };
    assert.equal(await openssl.verdict(chain), 'OK');
  });

  it('takes of a request its key alone: not a name, not an extension', async () => {
    const asks = ['-addext', 'basicConstraints=critical,CA:TRUE,pathlen:5', '-addext', 'nsComment=mine'];
    const request = await requestOf('greedy', ...asks);
    const plan = desk.at('greedy.plan');
    await done(...certify('--request', request, '--as', 'greedy', '--plan', plan));
    await done(
      ...certify(
        '--execute',
        plan,
        ...(await approved(desk, plan, ['ada', 'cyd'])),
        '--out',
        desk.at('greedy.pem'),
      ),
    );
    const parsed = parseAuthority(derOf('greedy.pem'), documentationIdentifiers);
    assert.deepEqual([parsed.pathLength, parsed.commonName, parsed.unknownCritical], [0, 'greedy', []]);
    const text = await openssl.print(['x509', '-noout', '-text'], desk.read('greedy.pem'));
    assert.doesNotMatch(text, /mine|whoever/);
  });

  it('refuses a request that its own key did not sign, or whose key is another’s', async () => {
    const request = await requestOf('mallory');
    const pem = readFileSync(request, 'utf8');
    const der = fromPem('CERTIFICATE REQUEST', pem)[0] ?? assert.fail();
    const foreign = parseAuthority(derOf('root/root.pem'), documentationIdentifiers).publicKey;
    const at = Buffer.from(der).indexOf(Buffer.from('03420004', 'hex')) + 3;
    const swapped = Buffer.from(der);
    swapped.set(foreign, at);
    for (const bytes of [swapped, Buffer.from(der).fill(1, der.length - 4)]) {
      const text = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
      const file = desk.write('mallory.csr', text);
      const args = certify('--request', file, '--as', 'mallory', '--plan', desk.at('mallory.plan'));
      await refused('ROOT_REFUSED', /own key did not sign/, ...args);
    }
  });

  it('refuses too few approvals, approvals of another plan, one officer twice, and an altered plan', async () => {
    const [one, two] = [desk.at('one.plan'), desk.at('two.plan')];
    await done(...certify('--request', await requestOf('one'), '--as', 'one', '--plan', one));
    await done(...certify('--request', await requestOf('two'), '--as', 'two', '--plan', two));
    const ada = await approved(desk, one, ['ada']);
    const execute = (...more: readonly string[]) =>
      certify('--execute', one, '--out', desk.at('no.pem'), ...more);
    await refused('APPROVALS_MISSING', /1/, ...execute(...ada));
    await refused('APPROVAL_REFUSED', /twice/, ...execute(...ada, ...ada));
    await refused(
      'APPROVAL_REFUSED',
      /something else/,
      ...execute(...ada, ...(await approved(desk, two, ['bob']))),
    );
    const both = [...ada, ...(await approved(desk, one, ['bob']))];
    const altered = { ...JSON.parse(readFileSync(one, 'utf8')), notAfter: '2031-01-01T00:00:00.000Z' };
    const plan = desk.write('altered.plan', JSON.stringify(altered));
    await refused(
      'APPROVAL_REFUSED',
      /something else/,
      ...certify('--execute', plan, '--out', desk.at('no.pem'), ...both),
    );
    assert.ok(!existsSync(desk.at('no.pem')));
    assert.equal(JSON.stringify(desk.read('root/register.jsonl')).includes('"one"'), false);
  });

  it('answers a plan that was executed with the same certificate, and certifies no name twice', async () => {
    await certified('line-2');
    const first = desk.read('line-2.pem');
    nowMs += 30 * 86_400_000;
    await done(...certify('--execute', desk.at('line-2.plan'), '--out', desk.at('again.pem')));
    assert.equal(desk.read('again.pem'), first);
    const plan = desk.at('second.plan');
    await done(...certify('--request', await requestOf('other'), '--as', 'line-2', '--plan', plan));
    const approvals = await approved(desk, plan, ['ada', 'bob']);
    await refused(
      'ROOT_REFUSED',
      /name/,
      ...certify('--execute', plan, ...approvals, '--out', desk.at('no.pem')),
    );
  });

  it('lists an intermediate that falls: standard verifiers and we refuse its units, a sibling’s live', async () => {
    await certified('falling');
    await certified('standing');
    const plan = desk.at('crl.plan');
    await done(...crl('--revoke', 'falling', '--plan', plan));
    await done(
      ...crl(
        '--execute',
        plan,
        ...(await approved(desk, plan, ['bob', 'cyd'])),
        '--out',
        desk.at('root.crl.pem'),
      ),
    );
    const list = parseCrl(listOf('root.crl.pem'));
    const falling = parseAuthority(derOf('falling.pem'), documentationIdentifiers);
    assert.deepEqual([list.number, [...list.entries.keys()]], [2, [toHex(falling.serial)]]);
    for (const [name, verdict] of [
      ['falling', /revoked/],
      ['standing', /^OK$/],
    ] as const) {
      const chain = {
        device: derOf(`${name}.pem`),
        intermediates: [],
        roots: [derOf('root/root.pem')],
        crls: [listOf('root.crl.pem')],
        nowMs,
      };
      assert.match(await openssl.verdict(chain), verdict);
    }
    const stale = desk.write(
      'forgets.plan',
      JSON.stringify({ ...JSON.parse(desk.read('crl.plan')), number: 3, revoked: [] }),
    );
    const approvals = await approved(desk, stale, ['ada', 'bob']);
    await refused(
      'ROOT_REFUSED',
      /forgets/,
      ...crl('--execute', stale, ...approvals, '--out', desk.at('no.pem')),
    );
    const low = desk.write('low.plan', JSON.stringify({ ...JSON.parse(desk.read('crl.plan')), number: 1 }));
    const lowApprovals = await approved(desk, low, ['ada', 'bob']);
    await refused(
      'ROOT_REFUSED',
      /number/,
      ...crl('--execute', low, ...lowApprovals, '--out', desk.at('no.pem')),
    );
  });

  it('is never kept with a gateway, in a directory that others enter, or with a damaged register', async () => {
    const beside = desk.at('gateway.json');
    writeFileSync(beside, '{}');
    await refused('ROOT_REFUSED', /gateway/, ...crl('--plan', desk.at('no.plan')));
    writeFileSync(desk.at('form2.json'), desk.read('form.json'));
    await refused(
      'ROOT_REFUSED',
      /gateway/,
      'pki',
      'root',
      'init',
      '--dir',
      desk.at('root-2'),
      '--form',
      desk.at('form2.json'),
    );
    rmSync(beside);
    chmodSync(desk.at('root'), 0o755);
    await refused('ROOT_REFUSED', /0700/, ...crl('--plan', desk.at('no.plan')));
    chmodSync(desk.at('root'), 0o700);
    const register = desk.read('root/register.jsonl');
    writeFileSync(desk.at('root/register.jsonl'), register.replace('"kind"', '"kinds"'));
    await refused('ROOT_REFUSED', /damaged/, ...crl('--plan', desk.at('no.plan')));
    // A line that a power cut left without its end was never acknowledged.
    writeFileSync(desk.at('root/register.jsonl'), `${register}{"kind":"intent","pl`);
    await done(...crl('--plan', desk.at('fresh.plan')));
    writeFileSync(desk.at('root/register.jsonl'), register);
  });

  it('may have a P-384 key: intermediates on P-256 are signed with SHA-384', async () => {
    const form = formOf(await officersAt(desk, ['ada', 'bob', 'cyd']), { commonName: 'Desk root 384' });
    desk.write('long.json', JSON.stringify(form));
    await done('pki', 'root', 'init', '--p384', '--dir', desk.at('long'), '--form', desk.at('long.json'));
    const plan = desk.at('long.plan');
    const long = (...more: readonly string[]) => [
      'pki',
      'root',
      'certify',
      '--dir',
      desk.at('long'),
      ...more,
    ];
    await done(...long('--request', await requestOf('long-1'), '--as', 'long-1', '--plan', plan));
    await done(
      ...long(
        '--execute',
        plan,
        ...(await approved(desk, plan, ['ada', 'bob'])),
        '--out',
        desk.at('long-1.pem'),
      ),
    );
    const parsed = parseAuthority(derOf('long-1.pem'), documentationIdentifiers);
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
      roots: [derOf('long/root.pem')],
      crls: null,
      trustList: null,
      time: 'now',
      nowMs,
      identifiers: documentationIdentifiers,
    } as const;
    assert.deepEqual(judgeChain(question, nodeCrypto), []);
    assert.equal(await openssl.verdict(question), 'OK');
  });
});

function signWith(pem: string, message: Uint8Array): Uint8Array {
  return sign('sha256', message, { key: createPrivateKey(pem), dsaEncoding: 'ieee-p1363' });
}
