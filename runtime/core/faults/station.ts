import type { FaultDefinition } from '../faults.ts';

/** Faults of the fixture itself: journal, jig, gate, configuration. */
export const faultsOfStation = {
  CONFIG_INVALID: {
    title: 'The configuration cannot be used',
    cause: 'A setting is missing, misspelled or out of range.',
    remedy: 'Correct the setting that is named, then start again. config/README.md lists all of them.',
    disposition: 'hold',
    blame: 'own',
  },
  USAGE: {
    title: 'The command was not understood',
    cause: 'An option or a command name is misspelled, or a value is missing.',
    remedy: 'Run the command with --help and try again.',
    disposition: 'hold',
    blame: 'own',
  },
  UNEXPECTED: {
    title: 'Something failed that the program did not foresee',
    cause: 'An error inside Holdfast or in a library it uses.',
    remedy: 'Note the time and call support with the log of this program. The unit stays where it is.',
    disposition: 'hold',
    blame: 'own',
  },
  FILE_UNREADABLE: {
    title: 'A file that is needed cannot be read',
    cause: 'The file is missing, or this program may not read it.',
    remedy: 'Check that the file named exists and belongs to the account of the program.',
    disposition: 'hold',
    blame: 'own',
  },
  JOURNAL_LOCKED: {
    title: 'Another program has this journal open',
    cause: 'The station is running already, or a tool is reading the same directory.',
    remedy: 'Stop the other program, or read through the running station.',
    disposition: 'hold',
    blame: 'own',
  },
  JOURNAL_MISSING: {
    title: 'There is no journal in this directory',
    cause: 'The directory is wrong, or the station has never been set up.',
    remedy: 'Check the path. A new station gets its journal by its set-up command, never by starting.',
    disposition: 'hold',
    blame: 'own',
  },
  JOURNAL_FOREIGN: {
    title: 'This journal belongs to another station',
    cause:
      'The storage of another fixture was put into this one, or the directory in the configuration is wrong.',
    remedy: 'Put back the storage that belongs here. Leave the units where they are until then.',
    disposition: 'hold',
    blame: 'own',
  },
  JOURNAL_DAMAGED: {
    title: 'The journal is damaged',
    cause: 'An entry is missing or changed: storage failed, or somebody edited the files.',
    remedy: 'Do not start the station and do not repair the files. Copy the directory and call support.',
    disposition: 'hold',
    blame: 'own',
  },
  JOURNAL_POISONED: {
    title: 'The journal could not be written',
    cause: 'The disk is full, failing or read-only. What was being written may or may not be stored.',
    remedy: 'Free or replace the storage. The station opens and checks its journal anew by itself.',
    disposition: 'retry',
    blame: 'own',
  },
  JOURNAL_SPACE_LOW: {
    title: 'The disk of the journal is nearly full',
    cause: 'Something else fills it, or the journal has grown. No unit is begun that might not be recorded.',
    remedy: 'Free space on that disk. The station goes on by itself; do not delete files of the journal.',
    disposition: 'retry',
    blame: 'own',
  },
  JOURNAL_ROLLED_BACK: {
    title: 'The journal is not the one the backend knows',
    cause: 'An older copy of it was put back, or the storage of another station was put in.',
    remedy:
      'Keep the directory as it is and call support. The station gets a new journal by its set-up command; the backend knows what became of each unit.',
    disposition: 'hold',
    blame: 'own',
  },
  JOURNAL_AHEAD: {
    title: 'The backend has lost entries that it had acknowledged',
    cause:
      'Its database lacks the newest entries of this journal, as after a restored backup, and the station has given them up since.',
    remedy:
      'Bring the backend’s database to its newest state; the station goes on by itself. Nothing is wrong with its journal.',
    disposition: 'retry',
    blame: 'outside',
  },
  JOURNAL_FILESYSTEM: {
    title: 'This file system may lose the journal',
    cause: 'The journal lies on a file system that can forget acknowledged writes at a power cut.',
    remedy: 'Put the journal on its own ext4 partition with a journal, or on xfs.',
    disposition: 'hold',
    blame: 'own',
  },
  JIG_LINK_LOST: {
    title: 'The I/O board does not answer',
    cause: 'The cable is out, the board lost power, or it was reset.',
    remedy: 'Check the USB cable and the power of the I/O board. The gate stays shut.',
    disposition: 'retry',
    blame: 'own',
  },
  JIG_REFUSED: {
    title: 'The I/O board is not one we can trust',
    cause:
      'Its firmware is older than Firmata 2.5, lacks the gate controller, or is not the one that is configured.',
    remedy: 'Load the gate controller firmware, or correct its name or plainFirmata in the configuration.',
    disposition: 'hold',
    blame: 'own',
  },
  CLAMP_TIMEOUT: {
    title: 'The clamp did not reach its position',
    cause: 'Air pressure is missing, the unit is skewed, or the end switch is out of place.',
    remedy: 'Check air, unit and end switch. The station tries again by itself.',
    disposition: 'retry',
    blame: 'own',
  },
  GATE_REFUSED: {
    title: 'The gate controller refused to open',
    cause: 'The release does not belong to the unit that is present, or was used before.',
    remedy: 'Wait: the station asks for a new release. Call the line engineer if it happens again.',
    disposition: 'retry',
    blame: 'own',
  },
  GATE_CLOSED: {
    title: 'The gate closed before the unit had left',
    cause: 'The unit is stuck, or the line behind the gate did not take it.',
    remedy: 'Clear the way behind the gate. The station asks for a new release by itself.',
    disposition: 'retry',
    blame: 'own',
  },
  GATE_PASSAGE_BLOCKED: {
    title: 'The unit does not leave through its open gate',
    cause:
      'The gate has opened for it several times and shut by itself: the unit is stuck, or the line behind is full.',
    remedy:
      'Free the unit and the way behind the gate. The station tries again by itself, once after each hold.',
    disposition: 'hold',
    blame: 'outside',
  },
  GATE_OPEN_LONG: {
    title: 'The gate stays open',
    cause: 'The gate controller does not shut it, or its position sensor is stuck.',
    remedy: 'Stop the conveyor and check the gate and its sensor.',
    disposition: 'hold',
    blame: 'own',
  },
  GATE_NOT_PERMITTED: {
    title: 'The unit may not be released yet',
    cause: 'A receipt is missing or names another unit.',
    remedy: 'Leave the unit in the fixture and call the line engineer.',
    disposition: 'hold',
    blame: 'own',
  },
  TOKEN_UNAVAILABLE: {
    title: 'The key store of this machine cannot be used',
    cause: 'The PKCS#11 module does not load, the token is missing, or the PIN is wrong.',
    remedy: 'Check module path, token label and PIN file. Do not try the PIN again and again.',
    disposition: 'hold',
    blame: 'own',
  },
  TOKEN_PIN_WRONG: {
    title: 'The PIN of the key store is wrong',
    cause: 'The PIN file does not belong to this token.',
    remedy: 'Restore the right PIN file before you start again: wrong tries can lock the token.',
    disposition: 'hold',
    blame: 'own',
  },
} as const satisfies Record<string, FaultDefinition>;
