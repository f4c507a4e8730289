/** What the offline root refuses: foreign requests, thin or replayed approvals, altered plans, and bad company. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { parseAuthority } from '../../runtime/core/pki/authority.ts';
import { fromPem } from '../../runtime/core/pki/pem.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import { approved } from './command.ts';
import { openRootDesk, type RootDesk } from './root-desk.ts';

let desk: RootDesk;
before(async () => {
  desk = await openRootDesk();
});
after(async () => {
  await desk[Symbol.asyncDispose]();
});

describe('the offline root refuses', () => {
  it('refuses a request that its own key did not sign, or whose key is another’s', async () => {
    const request = await desk.requestOf('mallory');
    const pem = readFileSync(request, 'utf8');
    const der = fromPem('CERTIFICATE REQUEST', pem)[0] ?? assert.fail();
    const foreign = parseAuthority(desk.derOf('root/root.pem'), documentationIdentifiers).publicKey;
    const at = Buffer.from(der).indexOf(Buffer.from('03420004', 'hex')) + 3;
    const swapped = Buffer.from(der);
    swapped.set(foreign, at);
    for (const bytes of [swapped, Buffer.from(der).fill(1, der.length - 4)]) {
      const text = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
      const file = desk.write('mallory.csr', text);
      const args = desk.certify('--request', file, '--as', 'mallory', '--plan', desk.at('mallory.plan'));
      await desk.refused('ROOT_REFUSED', /own key did not sign/, ...args);
    }
  });

  it('refuses too few approvals, approvals of another plan, one officer twice, and an altered plan', async () => {
    const [one, two] = [desk.at('one.plan'), desk.at('two.plan')];
    await desk.done(...desk.certify('--request', await desk.requestOf('one'), '--as', 'one', '--plan', one));
    await desk.done(...desk.certify('--request', await desk.requestOf('two'), '--as', 'two', '--plan', two));
    const ada = await approved(desk, one, ['ada']);
    const execute = (...more: readonly string[]) =>
      desk.certify('--execute', one, '--out', desk.at('no.pem'), ...more);
    await desk.refused('APPROVALS_MISSING', /1/, ...execute(...ada));
    await desk.refused('APPROVAL_REFUSED', /twice/, ...execute(...ada, ...ada));
    await desk.refused(
      'APPROVAL_REFUSED',
      /something else/,
      ...execute(...ada, ...(await approved(desk, two, ['bob']))),
    );
    const both = [...ada, ...(await approved(desk, one, ['bob']))];
    const altered = { ...JSON.parse(readFileSync(one, 'utf8')), notAfter: '2031-01-01T00:00:00.000Z' };
    const plan = desk.write('altered.plan', JSON.stringify(altered));
    await desk.refused(
      'APPROVAL_REFUSED',
      /something else/,
      ...desk.certify('--execute', plan, '--out', desk.at('no.pem'), ...both),
    );
    assert.ok(!existsSync(desk.at('no.pem')));
    assert.equal(JSON.stringify(desk.read('root/register.jsonl')).includes('"one"'), false);
  });

  it('is never kept with a gateway, in a directory that others enter, or with a damaged register', async () => {
    const beside = desk.at('gateway.json');
    writeFileSync(beside, '{}');
    await desk.refused('ROOT_REFUSED', /gateway/, ...desk.crl('--plan', desk.at('no.plan')));
    writeFileSync(desk.at('form2.json'), desk.read('form.json'));
    await desk.refused(
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
    await desk.refused('ROOT_REFUSED', /0700/, ...desk.crl('--plan', desk.at('no.plan')));
    chmodSync(desk.at('root'), 0o700);
    const register = desk.read('root/register.jsonl');
    writeFileSync(desk.at('root/register.jsonl'), register.replace('"kind"', '"kinds"'));
    await desk.refused('ROOT_REFUSED', /damaged/, ...desk.crl('--plan', desk.at('no.plan')));
    // A line that a power cut left without its end was never acknowledged.
    writeFileSync(desk.at('root/register.jsonl'), `${register}{"kind":"intent","pl`);
    await desk.done(...desk.crl('--plan', desk.at('fresh.plan')));
    writeFileSync(desk.at('root/register.jsonl'), register);
  });
});
