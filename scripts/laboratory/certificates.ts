/** The laboratory's certificates, each a file: made when it is missing, kept when it is there. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Authority, type CertificateOffice, toPem } from '../../drivers/certificates/authority.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import { fromBase64 } from '../../runtime/core/bytes.ts';
import { serialFrom } from '../../runtime/core/pki/profile.ts';
import { FAR_DATE_MS } from '../../runtime/core/pki/time.ts';
import { p256KeyFile } from './keys.ts';
import type { LinePlaces } from './places.ts';

export interface BusIdentity {
  readonly ca: string;
  readonly certificate: string;
  readonly key: { readonly file: string } | { readonly pkcs11: string };
}

const BUS_VALIDITY_MS = 90 * 86_400_000;

/** An authority whose key is a file beside its certificate. */
export async function authorityIn(
  office: CertificateOffice,
  directory: string,
  name: string,
  commonName: string,
  pathLength: number,
): Promise<Authority> {
  const signer = await openFileSigner(p256KeyFile(join(directory, `${name}.key`)));
  const file = join(directory, `${name}.pem`);
  if (existsSync(file)) return office.reopen(derIn(file), signer);
  const authority = await office.selfSign({ ...terms(FAR_DATE_MS), commonName, pathLength }, signer);
  writeFileSync(file, toPem('CERTIFICATE', authority.certificate));
  return authority;
}

type PartyTerms = Omit<
  Parameters<CertificateOffice['certifyParty']>[1],
  'serial' | 'notBeforeMs' | 'notAfterMs'
>;

/** Answers the path of the certificate, which is made when it is not there. */
export async function certificateFor(
  office: CertificateOffice,
  authority: Authority,
  file: string,
  party: PartyTerms,
  validityMs = BUS_VALIDITY_MS,
): Promise<string> {
  if (!existsSync(file)) {
    const notAfterMs = Math.floor((Date.now() + validityMs) / 1000) * 1000;
    writeFileSync(
      file,
      toPem('CERTIFICATE', await office.certifyParty(authority, { ...terms(notAfterMs), ...party })),
    );
  }
  return file;
}

/** A party whose bus key is a file. */
export async function busParty(
  office: CertificateOffice,
  authority: Authority,
  places: LinePlaces,
  name: string,
  directory: string,
): Promise<BusIdentity> {
  const key = p256KeyFile(join(directory, `${name}.bus.key`));
  const certificate = await certificateFor(office, authority, join(directory, `${name}.bus.pem`), {
    commonName: name,
    publicKey: (await openFileSigner(key)).publicKey,
    role: 'client',
  });
  return { ca: join(places.pki, 'bus-ca.pem'), certificate, key: { file: key } };
}

const terms = (notAfterMs: number) => ({
  serial: serialFrom(randomBytes(16)),
  notBeforeMs: Math.floor(Date.now() / 1000) * 1000 - 60_000,
  notAfterMs,
});

function derIn(path: string): Uint8Array {
  return fromBase64(readFileSync(path, 'utf8').replace(/-----[A-Z ]+-----|\s/g, ''));
}
