/** Doors of certificates, revocation and the root. */
import { join } from 'node:path';
import { openPublisher } from '../../drivers/certificates/publisher.ts';
import { type Doors, elsewhere, refusalOf } from './door.ts';

export const pkiDoors: Doors = {
  UNIT_CERTIFICATE_REVOKED: [
    'an intermediate falls while one of its units is between confirmation and registration',
    elsewhere(
      'pki/fallen.test',
      'whose intermediate falls before it is registered is held, has no record and does not leave',
    ),
  ],
  CERTIFICATE_NOT_TRUSTED: [
    'the list of its intermediate names the unit',
    elsewhere(
      'pki/commands.test',
      'trusts a good unit by its lists, refuses a revoked one, and asks for lists or a word that there are none',
    ),
  ],
  ISSUER_UNFIT: [
    'somebody gave the gateway the certificate of another key',
    elsewhere('pki/gateway.test', 'is refused at the start when its certificate is for another key'),
  ],
  CRL_NOT_PUBLISHED: [
    'the directory of the lists is gone',
    () => refusalOf(() => openPublisher(join('none', 'there')).publish('line-1.crl', Uint8Array.of(0))),
  ],
  TRUST_LIST_REFUSED: [
    'somebody brings an older list back',
    elsewhere(
      'pki/gateway.test',
      'ends for an intermediate on the trust list, at every gateway of the HSM at once',
    ),
  ],
  REVOCATION_REFUSED: [
    'a plan lists less than the fleet says',
    elsewhere(
      'pki/revocation.test',
      'is refused when the plan says what the fleet does not, whoever approved it',
    ),
  ],
  REVOCATION_ORDER_REFUSED: [
    'an order that the backend never signed',
    elsewhere(
      'pki/crl-office.test',
      'obey nobody but the backend, and no order about certificates of another intermediate',
    ),
  ],
  ROOT_REFUSED: [
    'the root lies beside a gateway',
    elsewhere(
      'pki/root-refusals.test',
      'is never kept with a gateway, in a directory that others enter, or with a damaged register',
    ),
  ],
};
