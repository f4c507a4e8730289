/** OpenSSL's verdict on a chain, strictly, and with every CRL asked for. */
import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { toPem } from '../../runtime/core/pki/pem.ts';

const run = promisify(execFile);

export interface Openssl {
  /** `OK`, or what it says is wrong. */
  verdict(chain: OpensslChain): Promise<string>;
  /** What a command prints, of a file with these bytes. */
  print(args: readonly string[], pem: string): Promise<string>;
  close(): Promise<void>;
}

export interface OpensslChain {
  readonly device: Bytes;
  readonly intermediates: readonly Bytes[];
  readonly roots: readonly Bytes[];
  /** Null: without CRLs. */
  readonly crls: readonly Bytes[] | null;
  readonly nowMs: number;
}

export function openOpenssl(): Openssl {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-openssl-'));
  let files = 0;
  const file = (content: string): string => {
    const path = join(directory, `${++files}.pem`);
    writeFileSync(path, content);
    return path;
  };
  const pems = (label: 'CERTIFICATE' | 'X509 CRL', all: readonly Bytes[]): string =>
    file(all.map((one) => toPem(label, one)).join(''));
  return {
    verdict: async ({ device, intermediates, roots, crls, nowMs }) => {
      const revocation =
        crls === null
          ? []
          : ['-crl_check_all', ...(crls.length === 0 ? [] : ['-CRLfile', pems('X509 CRL', crls)])];
      const untrusted = intermediates.length === 0 ? [] : ['-untrusted', pems('CERTIFICATE', intermediates)];
      const args = ['verify', '-x509_strict', '-check_ss_sig', '-attime', String(Math.floor(nowMs / 1000))];
      const leaf = pems('CERTIFICATE', [device]);
      try {
        await run('openssl', [
          ...args,
          ...revocation,
          '-CAfile',
          pems('CERTIFICATE', roots),
          ...untrusted,
          leaf,
        ]);
        return 'OK';
      } catch (error) {
        const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
        return `${stderr}${stdout}`.replaceAll(`${directory}/`, '').trim();
      }
    },
    print: async (args, pem) => (await run('openssl', [...args, '-in', file(pem)])).stdout,
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
