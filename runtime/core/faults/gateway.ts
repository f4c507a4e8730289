import type { FaultDefinition } from '../faults.ts';

/** Faults that the gateway answers with. */
export const faultsOfGateway = {
  TICKET_INVALID: {
    title: 'The production ticket is not valid',
    cause: 'It is not signed by the authority, is not yet or no longer valid, or names another station.',
    remedy: 'Load a valid ticket for this station and start the station again.',
    disposition: 'hold',
    blame: 'outside',
  },
  TICKET_EID_REFUSED: {
    title: 'The production ticket does not cover this unit',
    cause: 'The EID is outside the range of the ticket: a unit of another order.',
    remedy: 'Take the unit out and check which order it belongs to.',
    disposition: 'hold',
    blame: 'outside',
  },
  RESERVATION_STALE: {
    title: 'A newer visit of this unit is under way',
    cause: 'The unit was put into a fixture again after this visit began.',
    remedy: 'Nothing: the station reserves the unit anew.',
    disposition: 'retry',
    blame: 'outside',
  },
  DIALOGUE_LOST: {
    title: 'The gateway lost the thread of this unit',
    cause: 'The gateway or its key store was restarted.',
    remedy: 'Nothing: the station begins the dialogue again.',
    disposition: 'retry',
    blame: 'outside',
  },
  ATTEMPTS_EXHAUSTED: {
    title: 'Too many attempts to open this secure element',
    cause: 'Every attempt failed half-way; further ones could lock the element.',
    remedy: 'Quarantine the unit and let the line engineer find out why it fails.',
    disposition: 'hold',
    blame: 'own',
  },
  HSM_FAILED: {
    title: 'The key store of the gateway failed',
    cause: 'The HSM reported an error, or its process died.',
    remedy: 'Check the HSM. The gateway starts a new process by itself.',
    disposition: 'retry',
    blame: 'outside',
  },
  KEY_POLICY_BROKEN: {
    title: 'A key in the HSM is not what the policy says',
    cause: 'An attribute of the key named here differs from the key policy table.',
    remedy: 'Do not use this token. Call the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
  TRANSPORT_KEYS_KNOWN: {
    title: 'Others know the keys that these chips arrive with',
    cause: 'The gateway is set for shared or published transport keys, and this order is not a laboratory’s.',
    remedy: 'Use chips with keys of their own, or a laboratory ticket on a laboratory gateway.',
    disposition: 'hold',
    blame: 'outside',
  },
  LEDGER_UNAVAILABLE: {
    title: 'The gateway cannot write its ledger',
    cause: 'Its database is down or full.',
    remedy: 'Check the database of the gateway. The station asks again by itself.',
    disposition: 'retry',
    blame: 'outside',
  },
  LEDGER_ROLLED_BACK: {
    title: 'The ledger of the gateways is older than what was signed',
    cause:
      'Its database was restored from a backup, or is another one: it has forgotten certificates, epochs and revocations.',
    remedy:
      'Restore the database to its newest state, with every archived change, or point the gateway to the right one. The gateway goes on by itself. Never go on from the older one.',
    disposition: 'retry',
    blame: 'outside',
  },
  CERTIFICATE_REFUSED: {
    title: 'The certificate would break the rules of its profile',
    cause: 'The public key is known already, or the identity does not fit.',
    remedy: 'Leave the unit in the fixture and tell the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
  TRANSCRIPT_INVALID: {
    title: 'The transcript is not what was signed',
    cause: 'The transcript was changed or is of another unit, or the keys it was checked with are others.',
    remedy: 'Keep the file. Call the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
} as const satisfies Record<string, FaultDefinition>;
