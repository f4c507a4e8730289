/** Mutants whose key pair or certificate is not what the applet says it is. */
import { privateKeyFrom } from '../../../crypto/ecdsa.ts';
import { type MannerDefinition, otherThan } from './definition.ts';

/** Hexadecimal digits at the end of a certificate object: its last byte belongs to tag FE. */
const OBJECT_TAIL_DIGITS = 10;

export const appletMutants = {
  'signs-with-another-key': {
    does: 'signs with another key than the pair it made.',
    outcome: 'rejected',
    fault: 'CARD_KEY_PAIR_NOT_PROVED',
    caughtBy: 'The signature of the request is verified with the public key it gave.',
    hooks: () => ({
      signsWith: (key) => privateKeyFrom(Buffer.from(otherThan(key), 'hex')).toString('hex'),
    }),
  },
  'stores-another-certificate': {
    does: 'stores another certificate than it was sent.',
    outcome: 'rejected',
    fault: 'CARD_CERTIFICATE_NOT_STORED',
    caughtBy: 'The object is read back byte for byte.',
    hooks: () => ({
      writes: (object) => {
        const end = object.length - OBJECT_TAIL_DIGITS;
        const tail = object.slice(end - 2, end);
        return `${object.slice(0, end - 2)}${otherThan(tail)}${object.slice(end)}`;
      },
    }),
  },
} as const satisfies Record<string, MannerDefinition>;
