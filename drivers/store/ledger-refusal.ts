/** Why a certificate intent is refused: the context of CERTIFICATE_REFUSED, the same in both ledgers. */
export const ledgerRefusal = {
  publicKey: { why: 'the public key belongs to another EID' },
  serial: { why: 'the serial number is in use' },
} as const;
