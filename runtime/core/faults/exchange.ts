import type { FaultDefinition } from '../faults.ts';

/** Faults between the programs: broker, envelopes, time-outs. */
export const faultsOfExchange = {
  BUS_UNREACHABLE: {
    title: 'The message broker cannot be reached',
    cause: 'The broker is down, the network is cut, or a certificate has expired.',
    remedy: 'Check the network and the broker. The station goes on by itself once it is back.',
    disposition: 'retry',
    blame: 'outside',
  },
  BUS_CERTIFICATE_EXPIRED: {
    title: 'The certificate of this program has expired',
    cause: 'The certificate for the message broker was not renewed in time.',
    remedy: 'Renew the certificate named here, then start again.',
    disposition: 'hold',
    blame: 'own',
  },
  BUS_REFUSED: {
    title: 'The message broker does not accept this program',
    cause: 'Its certificate was revoked, or belongs to another authority, or its rights are missing.',
    remedy: 'Check certificate and access list with the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
  GATEWAY_SILENT: {
    title: 'The key gateway does not answer',
    cause: 'The gateway or the network is down.',
    remedy: 'Check the gateway. The station asks again by itself.',
    disposition: 'retry',
    blame: 'outside',
  },
  BACKEND_SILENT: {
    title: 'The fleet backend does not answer',
    cause: 'The backend, its database or the network is down.',
    remedy: 'Check the backend. The station asks again by itself.',
    disposition: 'retry',
    blame: 'outside',
  },
  ENVELOPE_INVALID: {
    title: 'A message is not signed or not encrypted by whom it should be',
    cause: 'It was forged or damaged on the way, or the list of trusted keys is out of date.',
    remedy: 'Tell the security officer. The station ignores the message and asks again.',
    disposition: 'retry',
    blame: 'outside',
  },
  MESSAGE_MALFORMED: {
    title: 'A message does not have the agreed form',
    cause: 'Programs of different versions talk to each other.',
    remedy: 'Bring station, gateway and backend to the same version.',
    disposition: 'hold',
    blame: 'outside',
  },
  RECEIPT_INVALID: {
    title: 'A receipt does not name this unit',
    cause: 'It belongs to another unit or operation, or was changed.',
    remedy: 'Leave the unit in the fixture and tell the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
  LOG_ROLLED_BACK: {
    title: 'The fleet database is older than what was signed',
    cause:
      'It was restored from a backup, or it is another database: leaves are missing that stations have receipts for.',
    remedy:
      'Stop provisioning. Restore the database to its newest state, with every archived change, or point the backend to the right one. Never go on from the older one.',
    disposition: 'hold',
    blame: 'outside',
  },
  LOG_HEAD_MISSING: {
    title: 'The backend does not know how far its log was',
    cause:
      'The file in which it remembers the head of the log is gone, and the database has leaves: whether that is an older one, nobody can tell.',
    remedy:
      'Put the file back where headFile says. If it is lost, make sure that the database is the newest there is; then write the file with holdfast audit verify --head-file.',
    disposition: 'hold',
    blame: 'outside',
  },
  LOG_FORKED: {
    title: 'The fleet log contradicts what this station saw before',
    cause: 'The log was rolled back or forked.',
    remedy: 'Stop the line and tell the security officer at once.',
    disposition: 'hold',
    blame: 'outside',
  },
} as const satisfies Record<string, FaultDefinition>;
