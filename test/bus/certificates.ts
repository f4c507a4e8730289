/** A certification authority for one test, through openssl(1). */
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestAuthority {
  /** PEM files. */
  readonly authority: string;
  readonly revoked: string;
  /** A certificate for a name, with its key: a client's, or the broker's on 127.0.0.1. */
  issue(
    name: string,
    options?: { readonly days?: number },
  ): { readonly certificate: string; readonly key: string };
  /** Another certificate for the same key, in the place of the first. */
  renew(name: string): void;
  /** Takes effect in `revoked` at once. */
  revoke(name: string): void;
}

const CONFIGURATION = `
[ca]
default_ca = test
[test]
database = index.txt
new_certs_dir = .
serial = serial
certificate = authority.pem
private_key = authority.key
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
`;

export function createAuthority(directory: string): TestAuthority {
  mkdirSync(directory, { recursive: true });
  const openssl = (...argv: readonly string[]): void => {
    execFileSync('openssl', argv, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const at = (file: string): string => join(directory, file);
  writeFileSync(at('ca.cnf'), CONFIGURATION);
  writeFileSync(at('index.txt'), '');
  writeFileSync(at('serial'), '1000\n');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const root = ['-x509', '-days', '30', '-subj', '/CN=test-authority', '-config', 'ca.cnf'];
  openssl(
    'req',
    ...newKey,
    ...root,
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'subjectKeyIdentifier=hash',
    '-keyout',
    'authority.key',
    '-out',
    'authority.pem',
  );
  const listRevoked = (): void => openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'revoked.pem');
  listRevoked();
  return {
    authority: at('authority.pem'),
    revoked: at('revoked.pem'),
    issue: (name, { days = 30 } = {}) => {
      const names = 'subjectAltName=DNS:broker.test,IP:127.0.0.1';
      const request = ['-subj', `/CN=${name}`, '-config', 'ca.cnf', '-addext', names];
      openssl('req', ...newKey, ...request, '-keyout', `${name}.key`, '-out', `${name}.csr`);
      const validity =
        days > 0 ? ['-days', String(days)] : ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];
      openssl(
        'ca',
        '-config',
        'ca.cnf',
        '-batch',
        '-notext',
        ...validity,
        '-in',
        `${name}.csr`,
        '-out',
        `${name}.pem`,
      );
      return { certificate: at(`${name}.pem`), key: at(`${name}.key`) };
    },
    renew: (name) => {
      const file = `${name}.csr`;
      openssl('ca', '-config', 'ca.cnf', '-batch', '-notext', '-in', file, '-out', `${name}.renewed.pem`);
      renameSync(at(`${name}.renewed.pem`), at(`${name}.pem`));
    },
    revoke: (name) => {
      openssl('ca', '-config', 'ca.cnf', '-revoke', `${name}.pem`);
      listRevoked();
    },
  };
}
