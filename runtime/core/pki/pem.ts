/**
 * PEM with the labels that certificates, requests and CRLs have.
 *
 * @see RFC 7468
 */
import { type Bytes, fromBase64, toBase64 } from '../bytes.ts';

/** OpenSSL, and with it the broker, reads a CRL only as `X509 CRL`. */
export type PemLabel = 'CERTIFICATE' | 'X509 CRL' | 'CERTIFICATE REQUEST' | 'PUBLIC KEY';

export function toPem(label: PemLabel, bytes: Bytes): string {
  const lines = toBase64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** Every block with this label, in order; text around them is passed over. @throws RangeError when one is not base64 */
export function fromPem(label: PemLabel, text: string): readonly Bytes[] {
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const found: Bytes[] = [];
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at + 1)) {
    const stop = text.indexOf(end, at);
    if (stop < 0) throw new RangeError(`no end of ${label}`);
    found.push(fromBase64(text.slice(at + begin.length, stop).replace(/\s/g, '')));
  }
  return found;
}
