import type { FaultDefinition } from '../faults.ts';

/** Faults of certificates, revocation and the root. */
export const faultsOfPki = {
  CERTIFICATE_NOT_TRUSTED: {
    title: 'This certificate is not to be trusted',
    cause: 'It, or a certificate above it, is revoked, forged, out of its time or out of its issuer’s scope.',
    remedy: 'Do not accept the unit that shows it. The findings named here say why.',
    disposition: 'hold',
    blame: 'outside',
  },
  UNIT_CERTIFICATE_REVOKED: {
    title: 'The certificate of this unit has been revoked',
    cause:
      'It, or its intermediate, was revoked after the gateway had confirmed the unit and before it was registered.',
    remedy:
      'Take the unit out and into quarantine, and tell the security officer. Nothing of it is released under this certificate.',
    disposition: 'hold',
    blame: 'outside',
  },
  ISSUER_UNFIT: {
    title: 'An intermediate of this gateway cannot issue',
    cause:
      'Its certificate is for another key, out of its time, revoked, or its settings do not fit its profile.',
    remedy:
      'Take the intermediate named here out of the settings of the gateway, or give it its right certificate.',
    disposition: 'hold',
    blame: 'own',
  },
  CRL_NOT_PUBLISHED: {
    title: 'A revocation list could not be written',
    cause: 'The directory that lists are published in is missing, full or not writable.',
    remedy:
      'Check the directory named here and make room in it. The gateway publishes its newest lists again by itself.',
    disposition: 'retry',
    blame: 'own',
  },
  TRUST_LIST_REFUSED: {
    title: 'This trust list is not believed',
    cause: 'It is older than the list known here, or not signed by the backend.',
    remedy: 'Use the newest trust list of the backend. If that is older too, call the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
  REVOCATION_REFUSED: {
    title: 'This revocation cannot be executed',
    cause: 'The plan is malformed, or the fleet has changed since it was made.',
    remedy: 'Start again with a new plan, and have it approved.',
    disposition: 'hold',
    blame: 'outside',
  },
  REVOCATION_ORDER_REFUSED: {
    title: 'The gateway does not obey this order to revoke',
    cause: 'It is not signed by the backend, or names certificates that this intermediate did not issue.',
    remedy:
      'Run the plan once more: the backend answers the order anew. If it is refused again, call the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
  ROOT_REFUSED: {
    title: 'The root does not do this',
    cause: 'The directory is not that of a root, is a gateway’s, or what is asked of it does not fit.',
    remedy: 'Correct what the reason given here names. Nothing was signed.',
    disposition: 'hold',
    blame: 'own',
  },
} as const satisfies Record<string, FaultDefinition>;
