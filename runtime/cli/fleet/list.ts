/** `holdfast fleet list`: the units that have an identity record, the newest first. */
import { toText } from '../../core/bytes.ts';
import { instantMs } from '../../core/instant.ts';
import type { RecordRow } from '../../core/store/fleet.ts';
import { ExitCode } from '../../program.ts';
import { type Command, countOf, isSet } from '../command.ts';
import { columns, counted, localSecond } from '../screen.ts';
import { databaseOptions, openFleetOf } from './place.ts';

const LIMIT = 50;

export const fleetListCommand: Command = {
  name: 'fleet list',
  summary: 'the units with an identity record, the newest first',
  options: {
    ...databaseOptions,
    limit: { type: 'string', value: 'N', help: `at most so many (default ${LIMIT})` },
  },
  examples: ['holdfast fleet list --dir var/line --limit 10', 'holdfast fleet list --json'],
  run: async (given, means) => {
    const limit = countOf(given, 'limit', 1) ?? LIMIT;
    await using fleet = await openFleetOf(given, means);
    const { rows, size } = await fleet.read(async (view) => {
      const [found, head] = await Promise.all([view.listRecords(limit), view.readHead()]);
      return { rows: found, size: head.size };
    });
    const units = rows.map(unitOf);
    if (isSet(given, 'json')) {
      means.print(JSON.stringify(units));
      return ExitCode.done;
    }
    const shown = units.map((unit) => [
      unit.eid,
      unit.manufacturedAt === null ? '-' : localSecond(instantMs(unit.manufacturedAt)),
      unit.batch ?? '-',
      unit.station ?? '-',
      String(unit.leaf),
      unit.certificate ?? '-',
    ]);
    if (units.length > 0) {
      const [head = '', ...lines] = columns([HEADING, ...shown]);
      means.print(means.paint.strong(head));
      for (const line of lines) means.print(line);
    }
    means.talk(`${counted(units.length, 'unit')} shown; the log has ${counted(size, 'leaf', 'leaves')}`);
    return ExitCode.done;
  },
};

const HEADING = ['EID', 'MADE', 'BATCH', 'STATION', 'LEAF', 'CERTIFICATE'];

/** A record in few words. What an older schema does not have is null. */
function unitOf(row: RecordRow) {
  const record = JSON.parse(toText(row.record)) as Readonly<Record<string, unknown>>;
  const text = (name: string): string | null => {
    const value = record[name];
    return typeof value === 'string' ? value : null;
  };
  return {
    eid: row.eid,
    operation: row.operation,
    certificate: row.certificateSerial,
    manufacturedAt: text('manufacturedAt'),
    product: text('product'),
    batch: text('batch'),
    station: text('station'),
    leaf: row.leafIndex,
    recordHash: row.recordHash,
  };
}
