/** A root in a directory of its own, driven by its commands, with three officers of whom two must agree. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fromPem } from '../../runtime/core/pki/pem.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import { approved, type Desk, officersAt, openDesk } from './command.ts';
import { NOW_MS } from './hierarchy.ts';

const run = promisify(execFile);

export const formOf = (officers: readonly object[], changes: object = {}) => ({
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

export type RootDesk = Awaited<ReturnType<typeof openRootDesk>>;

export async function openRootDesk(nowMs = NOW_MS) {
  const time = { nowMs };
  const desk: Desk = openDesk({ nowMs: () => time.nowMs });
  const done = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await desk.holdfast(...args);
    assert.equal(code, 0, err);
    return out;
  };
  const root = desk.at('root');
  const certify = (...more: readonly string[]) => ['pki', 'root', 'certify', '--dir', root, ...more];
  /** A PKCS#10 request made by OpenSSL, which may ask for whatever it likes. */
  const requestOf = async (name: string, ...more: readonly string[]): Promise<string> => {
    const [key, csr] = [desk.at(`${name}.key`), desk.at(`${name}.csr`)];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
    await run('openssl', ['req', '-new', ...curve, '-subj', `/CN=${name}/O=whoever`, '-out', csr, ...more]);
    return csr;
  };
  const officers = await officersAt(desk, ['ada', 'bob', 'cyd']);
  desk.write('form.json', JSON.stringify(formOf(officers)));
  await done('pki', 'root', 'init', '--dir', root, '--form', desk.at('form.json'));
  return {
    ...desk,
    time,
    done,
    certify,
    requestOf,
    crl: (...more: readonly string[]) => ['pki', 'root', 'crl', '--dir', root, ...more],
    derOf: (file: string): Uint8Array => fromPem('CERTIFICATE', desk.read(file))[0] ?? assert.fail(),
    listOf: (file: string): Uint8Array => fromPem('X509 CRL', desk.read(file))[0] ?? assert.fail(),
    refused: async (code: string, why: RegExp, ...args: readonly string[]): Promise<void> => {
      const ended = await desk.holdfast(...args);
      assert.equal(ended.code, 1, ended.out);
      assert.match(ended.err, new RegExp(code));
      assert.match(ended.err, why);
    },
    /** Plans, has approved and executes the certificate of an intermediate. */
    certified: async (name: string, ...scope: readonly string[]): Promise<void> => {
      const plan = desk.at(`${name}.plan`);
      await done(...certify('--request', await requestOf(name), '--as', name, '--plan', plan, ...scope));
      const approvals = await approved(desk, plan, ['ada', 'bob']);
      await done(...certify('--execute', plan, ...approvals, '--out', desk.at(`${name}.pem`)));
    },
  };
}
