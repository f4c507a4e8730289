import type { FaultDefinition } from '../faults.ts';

/** Faults that the backend answers with. */
export const faultsOfBackend = {
  STORE_UNAVAILABLE: {
    title: 'The fleet database cannot be reached',
    cause: 'The database is down, full, or does not accept the backend.',
    remedy: 'Check the database. The station asks again by itself.',
    disposition: 'retry',
    blame: 'outside',
  },
  BACKUP_FAILED: {
    title: 'The backup was not made, or not put back',
    cause:
      'A program for it is missing or refused, the disk is full, the key is another, or the database has tables.',
    remedy:
      'Correct what the message of the program says and try again. Neither database nor former backups were changed.',
    disposition: 'hold',
    blame: 'outside',
  },
  STORE_UNSAFE: {
    title: 'The database is not set up to keep what it acknowledges',
    cause:
      'fsync, full_page_writes or synchronous_commit is off, the server is too old, or the role of the backend may change what was logged.',
    remedy: 'Correct the setting named here, then start again.',
    disposition: 'hold',
    blame: 'outside',
  },
  STORE_SCHEMA: {
    title: 'The database has another schema than this program',
    cause: 'It was migrated by a newer version, or a migration was changed.',
    remedy: 'Run the version of Holdfast that belongs to the database.',
    disposition: 'hold',
    blame: 'outside',
  },
  BACKEND_BUSY: {
    title: 'The fleet backend has too much to do',
    cause: 'More registrations wait than it accepts at a time.',
    remedy: 'Nothing: the station asks again by itself.',
    disposition: 'retry',
    blame: 'outside',
  },
  QUOTA_EXHAUSTED: {
    title: 'The quota of the production ticket is used up',
    cause: 'As many units were reserved as the ticket allows.',
    remedy: 'Load the next ticket and start the station again. The unit stays until then.',
    disposition: 'hold',
    blame: 'outside',
  },
  UNIT_RELEASED_BEFORE: {
    title: 'This unit has left a fixture before',
    cause: 'A finished unit came back. It holds its keys and has its record; no ticket allows rework.',
    remedy: 'Take the unit out and ask the line engineer why it came back. Do not provision it again.',
    disposition: 'hold',
    blame: 'outside',
  },
  UNIT_REJECTED_BEFORE: {
    title: 'This unit was rejected before',
    cause: 'A rejected unit was put back on the line.',
    remedy: 'Nothing: the unit leaves by the reject lane again.',
    disposition: 'reject',
    blame: 'outside',
  },
  UNIT_CLONED: {
    title: 'Two different chips show the same identifier',
    cause: 'One of them is a copy, or a label or chip was exchanged.',
    remedy: 'Quarantine this unit and tell the security officer at once.',
    disposition: 'hold',
    blame: 'outside',
  },
  UNIT_RELABELLED: {
    title: 'A chip that is known shows another identifier',
    cause: 'Its identifier was changed, or it is a copy that kept the serial numbers of the original.',
    remedy: 'Quarantine this unit and tell the security officer at once.',
    disposition: 'hold',
    blame: 'outside',
  },
  RELEASE_USED: {
    title: 'A release for this unit was used before',
    cause: 'The gate controller reports that the gate was opened for this operation.',
    remedy: 'Leave the unit in the fixture and call the line engineer.',
    disposition: 'hold',
    blame: 'outside',
  },
  REPORT_INVALID: {
    title: 'The report of the gate controller is not genuine',
    cause: 'The controller is exchanged, unknown or of another kind, or its report was changed.',
    remedy: 'Check that the gate controller of this station is registered at the backend, as what it is.',
    disposition: 'hold',
    blame: 'outside',
  },
  CONFIRMATION_INVALID: {
    title: 'The confirmation of the gateway does not fit this unit',
    cause: 'It names another operation, unit or epoch, or is not signed by the gateway.',
    remedy: 'Leave the unit in the fixture and tell the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
  EVENTS_OUT_OF_ORDER: {
    title: 'The audit events of this station do not join up',
    cause: 'The journal of the station is older than what the backend has, or was exchanged.',
    remedy: 'Stop the station and tell the security officer.',
    disposition: 'hold',
    blame: 'own',
  },
} as const satisfies Record<string, FaultDefinition>;
