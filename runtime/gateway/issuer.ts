/** What device certificates take from the certificate of their issuer. */
import { type Bytes, concat } from '../core/bytes.ts';
import { contentOf, contextTag, members, read, readOid, Tag } from '../core/pki/der.ts';
import type { Issuer } from '../core/pki/profile.ts';

const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const known = new WeakMap<Bytes, Issuer>();

/** Subject name, byte for byte, and key identifier. @throws RangeError when it is not the certificate of a CA */
export function issuerOf(certificate: Bytes): Issuer {
  const before = known.get(certificate);
  if (before !== undefined) return before;
  const [tbs] = members(read(certificate), Tag.sequence);
  const parts = members(tbs, Tag.sequence);
  const subject = parts[5];
  const [list] = members(parts[7], contextTag(3, true));
  const extension = members(list, Tag.sequence).find(
    (node) => readOid(members(node, Tag.sequence)[0]) === SUBJECT_KEY_IDENTIFIER,
  );
  if (subject === undefined || extension === undefined) throw new RangeError('not the certificate of a CA');
  const value = contentOf(members(extension, Tag.sequence).at(-1), Tag.octetString);
  const issuer = { name: concat(subject.whole), keyIdentifier: contentOf(read(value), Tag.octetString) };
  known.set(certificate, issuer);
  return issuer;
}
