/** Judges a run from outside: gate log, chips and fleet database against each other. Trusts no word of the station. */
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { fromBase64, toHex, toText } from '../../runtime/core/bytes.ts';
import { identityRecord } from '../../runtime/core/record/identity-record.ts';
import type { FleetTransaction } from '../../runtime/core/store/fleet.ts';
import type { GateLine } from '../laboratory/fixture-world.ts';
import { controllerOf } from '../laboratory/laboratory.ts';
import type { Line, LineStation } from '../laboratory/line.ts';
import type { PointOutcome } from './kill-run.ts';

const FLEET_KEY_VERSION = 0x31;
const SECURED = 0x0f;

export async function judge(
  line: Line,
  station: LineStation,
  outcomes: readonly PointOutcome[],
  gateLog: readonly GateLine[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  const store = await openPostgresFleetStore({
    url: line.fleetUrl,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    poolMax: 2,
  });
  try {
    for (const outcome of outcomes) {
      const say = (what: string): number => problems.push(`unit ${outcome.unit} (${outcome.point}): ${what}`);
      const departures = gateLog.filter((gate) => gate.event === 'LEFT' && gate.unit === outcome.unit);
      if (departures.length !== 1) say(`left ${departures.length} times`);
      if (!outcome.reached) say('the point was never reached');
      const chip = await station.world.contents(outcome.unit);
      await store.transaction(async (tx) => {
        if (departures[0]?.lane === 'good') await judgeReleased(tx, chip, departures[0], say);
        else if (departures[0]?.lane === 'reject') await judgeRejected(tx, chip.eid, outcome, say);
      });
    }
    for (const arrival of new Set(gateLog.map((gate) => gate.arrival)))
      if (gateLog.filter((gate) => gate.event === 'OPENED' && gate.arrival === arrival).length > 1)
        problems.push(`arrival ${arrival}: the gate opened more than once`);
    const records = await store.transaction((tx) => tx.listRecords(10_000));
    const released = gateLog.filter((gate) => gate.event === 'LEFT' && gate.lane === 'good').length;
    if (records.length !== released)
      problems.push(`${records.length} records for ${released} released units`);
  } finally {
    await store.close();
  }
  return problems;
}

type Chip = Awaited<ReturnType<LineStation['world']['contents']>>;

async function judgeReleased(
  tx: FleetTransaction,
  chip: Chip,
  departure: GateLine,
  say: (what: string) => void,
): Promise<void> {
  const row = await tx.recordByEid(chip.eid);
  if (row === null) return void say('released without a record');
  const record = identityRecord.parse(JSON.parse(toText(row.record)));
  const release = await tx.releaseByCounter(controllerOf(1), departure.counter);
  if (release?.operation !== row.operation || release.arrival !== departure.arrival)
    say('left on a release for another unit');
  if (release !== null && (await tx.confirmation(row.operation, release.epoch)) === null)
    say('released without the confirmation of its epoch');
  if (chip.keyVersions.join() !== String(FLEET_KEY_VERSION))
    say(`holds key versions ${chip.keyVersions.join()}`);
  if (chip.lifeCycle !== SECURED) say(`is in life cycle ${chip.lifeCycle}`);
  const { certificate } = record;
  if (
    'absent' in certificate ||
    chip.certificate === null ||
    !chip.certificate.includes(toHex(fromBase64(certificate.der)))
  )
    say('holds another certificate than its record');
}

async function judgeRejected(
  tx: FleetTransaction,
  eid: string,
  outcome: PointOutcome,
  say: (what: string) => void,
): Promise<void> {
  if (outcome.scene !== 'foreign-chip') say('a good unit was rejected');
  if ((await tx.recordByEid(eid)) !== null) say('rejected with an identity record');
  const rejections = await tx.listRejections(10_000);
  if (!rejections.some((row) => row.eid === eid)) say('rejected without a reject record');
}
