/** `holdfast fleet backup` and `holdfast fleet restore`: the whole fleet database as one encrypted file, and back. */
import { ExitCode } from '../../program.ts';
import { type Command, textOf, usage } from '../command.ts';
import { databaseOptions, databaseUrlOf } from './place.ts';

/** An age public key: Bech32 of 32 bytes. */
const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;

export const fleetBackupCommand: Command = {
  name: 'fleet backup',
  summary: 'the whole fleet database in one encrypted file, while the backend works',
  options: {
    ...databaseOptions,
    to: { type: 'string', value: 'FILE', help: 'the file; there must be none of this name' },
    recipient: { type: 'string', value: 'KEY', help: 'age public key of whoever may restore it' },
  },
  notes: [
    'age-keygen makes the pair of keys; the secret one has no place on this machine.',
    'The backend’s keys and its log-head file are no part of the database: keep them apart from it.',
  ],
  examples: ['holdfast fleet backup --dir var/line --to fleet.age --recipient age1…'],
  run: async (given, means) => {
    const [file, recipient] = [textOf(given, 'to'), textOf(given, 'recipient')];
    if (file === null || recipient === null)
      throw usage('say where to, and for whom: --to FILE --recipient KEY');
    if (!RECIPIENT.test(recipient))
      throw usage('--recipient takes an age public key: age1 and 58 characters');
    if (means.files.exists(file)) throw usage(`${file} is there already: a backup never replaces another`);
    await means.backup.backUp({ url: databaseUrlOf(given, means), recipient, file });
    means.talk(`${file} is written and synced; only the holder of the secret key can read it`);
    return ExitCode.done;
  },
};

export const fleetRestoreCommand: Command = {
  name: 'fleet restore',
  summary: 'puts a backup into an empty database, whole or not at all',
  options: {
    from: { type: 'string', value: 'FILE', help: 'what fleet backup made' },
    identity: { type: 'string', value: 'FILE', help: 'file with the age secret key' },
    database: { type: 'string', value: 'URL', help: 'an empty PostgreSQL database (default DATABASE_URL)' },
  },
  notes: [
    'A backup lacks what was registered after it. The backend refuses to work on it (LOG_ROLLED_BACK) as long as its',
    'log-head file knows more, and stations refuse a backend that knows less than they were shown.',
  ],
  examples: ['holdfast fleet restore --from fleet.age --identity key.txt --database postgresql:///fleet'],
  run: async (given, means) => {
    const [file, identity] = [textOf(given, 'from'), textOf(given, 'identity')];
    const url = textOf(given, 'database') ?? means.databaseUrl;
    if (file === null || identity === null || url === null)
      throw usage('say what, with which key and where: --from FILE --identity FILE --database URL');
    await means.backup.restore({ file, identity, url });
    means.talk('Restored. holdfast audit verify checks that it is whole and what the log signed.');
    return ExitCode.done;
  },
};
