/** `holdfast fleet migrate`: brings the fleet database to this version, as its owner, for a backend that is not. */
import { ExitCode } from '../../program.ts';
import { type Command, isSet, textOf, usage } from '../command.ts';
import { needed } from '../given.ts';

export const fleetMigrateCommand: Command = {
  name: 'fleet migrate',
  summary: 'brings the fleet database to this version, and gives the backend’s role its rights',
  options: {
    database: {
      type: 'string',
      value: 'URL',
      help: 'PostgreSQL URL of the database’s owner; without a password: that is for DATABASE_URL',
    },
    role: { type: 'string', value: 'NAME', help: 'role of the backend, which exists and owns nothing' },
  },
  notes: [
    'The role may insert and read, and change the tables of the present alone: nothing of what was logged.',
    'Run it before a backend of a new version is started; it may be run again.',
  ],
  examples: ['holdfast fleet migrate --database postgresql://owner@host/fleet --role fleet_backend'],
  run: async (given, means) => {
    const url = textOf(given, 'database') ?? means.databaseUrl;
    if (url === null) throw usage('say which database: --database URL, or DATABASE_URL in the environment');
    const role = needed(given, 'role', 'the role that the backend logs in with');
    await means.prepareFleet(url, role);
    if (isSet(given, 'json')) means.print(JSON.stringify({ migrated: true, role }));
    else
      means.print(
        `The database is of this version; ${role} can add to what was logged, and change nothing of it.`,
      );
    return ExitCode.done;
  },
};
