/** `holdfast fleet may-ship`: whether a unit may leave the facility, and in words why not. */
import { fromText, toHex, toText } from '../../core/bytes.ts';
import { type Fault, isFault } from '../../core/faults.ts';
import type { LifeState } from '../../core/history/life.ts';
import type { UnitState } from '../../core/history/unit-state.ts';
import { instantOf } from '../../core/instant.ts';
import type { Policy } from '../../core/log/policy.ts';
import type { CustodyRow, OperationRow, RecordRow } from '../../core/store/fleet.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet } from '../command.ts';
import type { FleetView, Means } from '../means.ts';
import { eidOf } from './eid.ts';
import { rebuild } from './history.ts';
import { databaseOptions, openFleetOf } from './place.ts';
import { policyOf, policyOption } from './proof.ts';
import { revokedOf } from './revoked.ts';
import { unitProof } from './unit-proof.ts';

/** A unit that is carried about for a long time. */
const APPEARANCES_MAX = 1000;

export const fleetMayShipCommand: Command = {
  name: 'fleet may-ship',
  summary: 'answers at the dock whether a unit may leave the facility, and why not',
  options: {
    eid: { type: 'string', value: 'EID', help: 'the unit, by its 32 digits' },
    ...policyOption,
    ...databaseOptions,
  },
  notes: ['It ends with 0 when the unit may leave, and with 3 when it stays.'],
  examples: ['holdfast fleet may-ship --eid 89049032000000000000000000000123 --policy POLICY'],
  run: async (given, means) => {
    const eid = eidOf(given);
    const policy = policyOf(given, means);
    await using fleet = await openFleetOf(given, means);
    const operation = await fleet.operation(eid);
    const objections = await fleet.read((view) => objectionsTo(eid, operation, view, policy, means));
    const ships = objections.length === 0;
    if (isSet(given, 'json')) means.print(JSON.stringify({ eid, mayShip: ships, objections }));
    else {
      means.print(ships ? means.paint.strong('MAY SHIP') : means.paint.alarm('MUST STAY'));
      for (const why of objections) means.print(`  ${why}`);
    }
    return ships ? ExitCode.done : ExitCode.held;
  },
};

/** Every reason, in words; none when it may leave. */
async function objectionsTo(
  eid: string,
  operation: OperationRow | null,
  view: FleetView,
  policy: Policy,
  means: Means,
): Promise<readonly string[]> {
  const record = await view.recordByEid(eid);
  if (operation === null && record === null) return ['the fleet does not know this unit'];
  const [{ state }, revoked, appearances, custody] = await Promise.all([
    rebuild(eid, instantOf(means.now()), view),
    revokedOf(record, view),
    view.appearancesOf(eid, operation?.operation ?? null, APPEARANCES_MAX),
    record === null ? [] : view.custodyOf(record.operation),
  ]);
  const twice = appearances.filter(({ appearance }) => appearance === 'clone' || appearance === 'relabel');
  return [
    ...ofState(operation),
    ...ofLife(state),
    ...(record === null ? ['it has no identity record'] : ofCustody(record, custody, means)),
    ...twice.map(
      ({ appearance, at }) =>
        `it is in quarantine: ${appearance === 'clone' ? 'another chip showed its EID' : 'its chip showed another EID'} at ${at}`,
    ),
    ...(revoked === null
      ? []
      : [`its certificate is revoked since ${revoked.row.revokedAt}: ${revoked.row.reason}`]),
    ...(record === null ? [] : await ofProof(record, view, policy, means)),
  ];
}

const STATES: Readonly<Record<OperationRow['state'], string | null>> = {
  reserved: 'it is not finished: its keys may be on the chip, and nothing is recorded',
  recorded: 'it was not seen to leave its fixture by the good lane',
  released: null,
  rejected: 'it was rejected, and is in quarantine until it is seen to leave by the reject lane',
  diverted: 'it was rejected and left by the reject lane',
};

function ofState(operation: OperationRow | null): readonly string[] {
  const why = operation === null ? 'its operation is not there' : STATES[operation.state];
  return why === null ? [] : [why];
}

const LIFE: Readonly<Partial<Record<LifeState, string>>> = {
  QUARANTINED: 'it is in quarantine',
  REWORK: 'it is at rework',
  RMA: 'it came back from its customer',
  SCRAPPED: 'it is scrapped',
  RETIRED: 'it is out of service',
};

/** What officers had done to it after the line. */
function ofLife({ life }: UnitState): readonly string[] {
  const why = life === null ? undefined : LIFE[life.state];
  return life === null || why === undefined
    ? []
    : [`${why} since ${life.at}: ${life.reason ?? 'no reason given'}`];
}

/** The statements by which it came from hand to hand are those that its record names. */
function ofCustody(record: RecordRow, rows: readonly CustodyRow[], { crypto }: Means): readonly string[] {
  const { custody } = JSON.parse(toText(record.record)) as {
    custody?: readonly { readonly holder: string; readonly sha256: string }[];
  };
  const first = rows.filter(({ epoch }) => epoch === rows[0]?.epoch);
  const whole =
    custody !== undefined &&
    custody.length > 0 &&
    custody.every(({ holder, sha256 }, i) => {
      const row = first[i];
      if (row?.holder !== holder || row.sha256 !== sha256) return false;
      return toHex(crypto.sha256(fromText(row.statement))) === sha256;
    });
  return whole ? [] : ['its chain of custody is not the one that its record names'];
}

async function ofProof(
  record: RecordRow,
  view: FleetView,
  policy: Policy,
  means: Means,
): Promise<readonly string[]> {
  if (toHex(means.crypto.sha256(record.record)) !== record.recordHash)
    return ['its record is not the one that was logged'];
  try {
    await unitProof(record, view, policy, means);
    return [];
  } catch (error) {
    if (!isFault(error) || !(error.code in PROOFS)) throw error;
    return [(PROOFS[error.code] ?? ((): string => error.message))(error)];
  }
}

const PROOFS: Readonly<Partial<Record<string, (fault: Fault) => string>>> = {
  PROOF_INCOMPLETE: ({ context }) => `its proof lacks witnesses: ${String(context.cosigned)} cosigned so far`,
  LOG_FORKED: ({ context }) => `its proof does not hold: ${String(context.why)}`,
};
