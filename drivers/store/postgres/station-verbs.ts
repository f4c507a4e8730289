/** Revoked and enrolled stations in the fleet database. */
import type {
  EnrolledStationRow,
  FleetTransaction,
  RevokedStationRow,
} from '../../../runtime/core/store/fleet.ts';
import type { Session } from './session.ts';
import { arraysOf, fieldsOf, insertInto, type Table } from './table.ts';

const revokedStations: Table<RevokedStationRow> = {
  name: 'revoked_station',
  columns: { station: 'text', number: 'bigint', since: 'text', reason: 'text' },
};

const enrolledStations: Table<EnrolledStationRow> = {
  name: 'enrolled_station',
  columns: { station: 'text', number: 'bigint', since: 'text', tlsKey: 'text', envelopeKey: 'text' },
};

const fields = fieldsOf(revokedStations);
const statements = {
  all: { name: 'revoked stations', text: `select ${fields} from revoked_station order by number` },
  one: { name: 'revoked station', text: `select ${fields} from revoked_station where station = $1` },
  insert: insertInto(revokedStations),
  enrolled: {
    name: 'enrolled stations',
    text: `select ${fieldsOf(enrolledStations)} from enrolled_station order by number`,
  },
  enrol: insertInto(enrolledStations),
} as const;

export function stationVerbs(
  session: Session,
): Pick<
  FleetTransaction,
  'revokedStation' | 'revokedStations' | 'insertRevokedStation' | 'enrolledStations' | 'insertEnrolledStation'
> {
  return {
    revokedStation: async (station) =>
      (await session.rows<RevokedStationRow>(statements.one, [station]))[0] ?? null,
    revokedStations: () => session.rows<RevokedStationRow>(statements.all, []),
    insertRevokedStation: async (row) => {
      await session.count(statements.insert, arraysOf(revokedStations, [row]));
    },
    enrolledStations: () => session.rows<EnrolledStationRow>(statements.enrolled, []),
    insertEnrolledStation: async (row) => {
      await session.count(statements.enrol, arraysOf(enrolledStations, [row]));
    },
  };
}
