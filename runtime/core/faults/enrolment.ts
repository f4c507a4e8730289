import type { FaultDefinition } from '../faults.ts';

/** Faults of the identity of stations: enrolment, renewal, revocation. */
export const faultsOfEnrolment = {
  STATION_REVOKED: {
    title: 'This station has been revoked',
    cause:
      'Officers revoked it at the backend; from then on gateway and backend answer none of its requests.',
    remedy:
      'Stop the station and hand it to the security officer. A station that comes back is enrolled under a new name.',
    disposition: 'hold',
    blame: 'outside',
  },
  STATION_LIST_REFUSED: {
    title: 'The list of stations is not accepted',
    cause: 'It is older than the one in force, or takes a station back that was revoked.',
    remedy:
      'Take the present list from the backend with holdfast enrol revoked, and give it to the gateway again.',
    disposition: 'hold',
    blame: 'outside',
  },
  STATION_LIST_FULL: {
    title: 'The list of stations is full',
    cause: 'As many stations as one list can name have been enrolled, or revoked, since this backend began.',
    remedy:
      'Put the enrolled stations into the settings of backend and gateways, and begin a new fleet database with the next plant.',
    disposition: 'hold',
    blame: 'outside',
  },
  ENROLMENT_REFUSED: {
    title: 'The enrolment request is refused',
    cause:
      'It does not prove that the station has both keys, names another station, or nobody has approved it: neither officers, nor a one-time code, nor a valid certificate of the same key.',
    remedy: 'Run holdfast enrol request at the station again, and have the new request approved.',
    disposition: 'hold',
    blame: 'outside',
  },
  RENEWAL_UNANSWERED: {
    title: 'No new certificate came',
    cause:
      'The request was not carried to the bus authority, was refused there, or the answer was not carried back.',
    remedy:
      'Run holdfast enrol office at the bus authority by hand and read what it says of this station. The station asks again by itself.',
    disposition: 'retry',
    blame: 'outside',
  },
  CERTIFICATE_ENDING: {
    title: 'The certificate for the message broker ends soon',
    cause: 'It should have been renewed, and nothing that is newer has come.',
    remedy:
      'Renew it before the time named here: holdfast enrol renew, sign and install. The station works on until its connection ends.',
    disposition: 'retry',
    blame: 'outside',
  },
  ENROLMENT_FOREIGN: {
    title: 'This certificate is not for this station',
    cause:
      'It names another station or another key than the token holds, is not signed by the bus authority, or has ended.',
    remedy: 'Use the certificate that was signed for this station’s newest request.',
    disposition: 'hold',
    blame: 'own',
  },
} as const satisfies Record<string, FaultDefinition>;
