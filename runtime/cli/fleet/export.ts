/** `holdfast fleet export`: a manifest of the units that have a record, oldest first, for whoever takes them over. */
import { toHex, toText } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { instantMs } from '../../core/instant.ts';
import { SIGNED_RECORDS_MAX, signManifestInstruction } from '../../core/messages/manifest.ts';
import { csvHeading, csvLine, jsonLine } from '../../core/record/manifest.ts';
import type { RecordRow } from '../../core/store/fleet.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, textOf, usage } from '../command.ts';
import { SINCE_FORMS, sinceMs } from '../journal/since.ts';
import type { FleetReader, Means } from '../means.ts';
import { socketOf } from '../program-place.ts';
import { counted } from '../screen.ts';
import { databaseOptions, openFleetOf } from './place.ts';

const formats = ['jsonl', 'csv', 'jws'] as const;
type Format = (typeof formats)[number];

/** A word about progress after so many records. */
const PROGRESS_RECORDS = 10_000;

export const fleetExportCommand: Command = {
  name: 'fleet export',
  summary: 'a manifest of the units with an identity record, oldest first',
  options: {
    ...databaseOptions,
    format: { type: 'string', value: 'FORMAT', help: `${formats.join(', ')} (default jsonl)` },
    ticket: { type: 'string', value: 'TICKET', help: 'only the units of this ticket' },
    batch: { type: 'string', value: 'BATCH', help: 'only the units of this batch' },
    station: { type: 'string', value: 'STATION', help: 'only what this station made' },
    since: { type: 'string', value: 'TIME', help: 'only what was made from then on' },
    until: { type: 'string', value: 'TIME', help: 'only what was made before then' },
    socket: { type: 'string', value: 'PATH', help: 'for jws: where the backend takes instructions' },
  },
  notes: [
    'jws: a line is a compact JWS, ES256, of the backend over one record; its public key verifies it anywhere.',
    'Every record is compared with its hash before it is written.',
  ],
  examples: [
    'holdfast fleet export --dir var/line --ticket LAB-1 > units.jsonl',
    'holdfast fleet export --format csv --since 2026-11-01 > november.csv',
    'holdfast fleet export --dir var/line --format jws > manifest.jws',
  ],
  run: async (given, means) => {
    const format = formatOf(given);
    const wanted = filterOf(given, means);
    const socket = format === 'jws' ? socketOf('backend', given, means) : null;
    await using fleet = await openFleetOf(given, means);
    if (format === 'csv') means.print(csvHeading);
    let written = 0;
    for await (const rows of recordsOf(fleet)) {
      for (const row of rows) demandUnchanged(row, means);
      const chosen = rows.filter(wanted);
      for (const line of await linesOf(chosen, format, socket, means)) means.print(line);
      if (Math.floor((written + chosen.length) / PROGRESS_RECORDS) > Math.floor(written / PROGRESS_RECORDS))
        means.talk(`${written + chosen.length} units written`);
      written += chosen.length;
    }
    means.talk(`${counted(written, 'unit')} exported`);
    return ExitCode.done;
  },
};

function formatOf(given: Arguments): Format {
  const text = textOf(given, 'format') ?? 'jsonl';
  const format = formats.find((one) => one === text);
  if (format === undefined) throw usage(`--format takes ${formats.join(', ')}, not ${text}`);
  return format;
}

function filterOf(given: Arguments, means: Means): (row: RecordRow) => boolean {
  const time = (option: string): number | null => {
    const text = textOf(given, option);
    if (text === null) return null;
    const at = sinceMs(text, means.now());
    if (at === null) throw usage(`--${option} takes ${SINCE_FORMS}; not ${text}`);
    return at;
  };
  const [since, until] = [time('since'), time('until')];
  const exact = (['ticket', 'batch', 'station'] as const).flatMap((name) => {
    const value = textOf(given, name);
    return value === null ? [] : [{ name, value }];
  });
  return ({ record }) => {
    const said = JSON.parse(toText(record)) as Readonly<Record<string, unknown>>;
    const madeMs = typeof said.manufacturedAt === 'string' ? instantMs(said.manufacturedAt) : 0;
    return (
      exact.every(({ name, value }) => said[name] === value) &&
      (since === null || madeMs >= since) &&
      (until === null || madeMs < until)
    );
  };
}

/** All records in the order of their leaves, some at a time. */
async function* recordsOf(fleet: FleetReader): AsyncGenerator<readonly RecordRow[]> {
  let next = 0;
  for (;;) {
    const rows = await fleet.read((view) => view.recordsFrom(next, SIGNED_RECORDS_MAX));
    yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < SIGNED_RECORDS_MAX) return;
    next = last.leafIndex + 1;
  }
}

/** @throws Fault LOG_FORKED */
function demandUnchanged({ operation, record, recordHash }: RecordRow, { crypto }: Means): void {
  if (toHex(crypto.sha256(record)) !== recordHash)
    throw new Fault('LOG_FORKED', { operation, why: 'the record is not the one in the log' });
}

async function linesOf(
  rows: readonly RecordRow[],
  format: Format,
  socket: string | null,
  means: Means,
): Promise<readonly string[]> {
  if (format === 'csv') return rows.map(csvLine);
  if (socket === null) return rows.map(jsonLine);
  if (rows.length === 0) return [];
  const operations = rows.map(({ operation }) => operation);
  return (await means.instruct(socket, signManifestInstruction, { operations })).entries;
}
