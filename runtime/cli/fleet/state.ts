/** `holdfast fleet state`: what every credential of a unit was at an instant, and what proves it. */
import { isEid } from '../../core/eid.ts';
import type { UnitState } from '../../core/history/unit-state.ts';
import { instantOf } from '../../core/instant.ts';
import type { HeadRow } from '../../core/store/fleet.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet, textOf, usage } from '../command.ts';
import type { Means } from '../means.ts';
import { columns } from '../screen.ts';
import { rebuild } from './history.ts';
import { momentOf } from './moment.ts';
import { databaseOptions, openFleetOf } from './place.ts';

export const fleetStateCommand: Command = {
  name: 'fleet state',
  summary: 'every credential of a unit as it was at an instant, replayed from the log',
  options: {
    eid: { type: 'string', value: 'EID', help: 'the unit, by its 32 digits' },
    at: { type: 'string', value: 'DATE', help: 'the instant, by the backend’s clock (default: now)' },
    ...databaseOptions,
  },
  notes: ['Only what the log says counts. Each line names the leaf that it follows from.'],
  examples: ['holdfast fleet state --eid 89049032000000000000000000000123 --at 2026-11-22T10:00:00Z'],
  run: async (given, means) => {
    const eid = textOf(given, 'eid');
    if (eid === null || !isEid(eid)) throw usage('--eid takes an EID: 32 digits with right check digits');
    const at = momentOf(given, 'at') ?? instantOf(means.now());
    await using fleet = await openFleetOf(given, means);
    const { state, head } = await fleet.read((view) => rebuild(eid, at, view));
    const proof = proofOf(state, head);
    if (isSet(given, 'json')) means.print(JSON.stringify({ at, ...state, proof }));
    else for (const line of linesOf(state, at, means)) means.print(line);
    if (state.life === null) {
      means.talk(`The log has no record of this unit before ${at}.`);
      return ExitCode.fault;
    }
    if (!isSet(given, 'json')) means.print(proof.says);
    return ExitCode.done;
  },
};

/** The newest checkpoint covers every leaf: a leaf in a tree stays in all that grow from it. */
function proofOf({ leaves }: UnitState, { size, checkpoint }: HeadRow) {
  const says = `proved by the checkpoint of ${size} leaves: leaf ${leaves.join(', ')} (holdfast audit verify)`;
  return { size, checkpoint, leaves, says };
}

function linesOf(state: UnitState, at: string, { paint }: Means): readonly string[] {
  const { life, keySets, transport, certificates, custody } = state;
  if (life === null) return [];
  const hex = (version: number): string => version.toString(16).padStart(2, '0');
  const leaf = ({ leafIndex }: { readonly leafIndex: number }): string => `leaf ${leafIndex}`;
  const before = life.predecessor === null ? 'first event' : `after leaf ${life.predecessor}`;
  const groups: readonly (readonly [string, readonly (readonly string[])[]])[] = [
    [`Unit ${state.eid} at ${at}`, [['life', life.state, life.at, life.reason, `${leaf(life)}, ${before}`]]],
    [
      'Key sets',
      keySets.map((set) => [
        `version ${hex(set.keyVersion)}`,
        set.listed ? `${set.standing}, listed for revocation` : set.standing,
        set.at,
        `generation ${set.generation ?? '?'}, ${set.scheme ?? '?'} ${set.algorithm ?? ''}`,
        set.checkValues === null ? 'no check values' : `check values ${set.checkValues.join(' ')}`,
        leaf(set),
      ]),
    ],
    [
      'Transport set',
      transport === null
        ? []
        : [
            [
              `version ${hex(transport.keyVersion)}`,
              transport.standing,
              transport.at,
              `${transport.scheme}, ${transport.class}`,
              leaf(transport),
            ],
          ],
    ],
    [
      'Certificates',
      certificates.map((one) => [
        one.serial,
        one.revocation === null ? one.standing : `revoked ${one.revocation.at}, ${one.revocation.reason}`,
        one.at,
        `by ${one.issuer ?? '?'}`,
        one.revocation === null ? leaf(one) : `${leaf(one)}, ${leaf(one.revocation)}`,
      ]),
    ],
    [
      'Custody',
      custody.map((one) => [
        `epoch ${one.epoch}`,
        `${one.station} (${one.stationSoftware ?? '?'})`,
        one.at,
        `gateway ${one.gateway ?? '?'}, operator ${one.operator ?? '?'}, ticket ${one.ticket ?? '?'}`,
        leaf(one),
      ]),
    ],
  ];
  return groups.flatMap(([heading, rows]) =>
    rows.length === 0 ? [] : [paint.strong(heading), ...columns(rows.map(indented)), ''],
  );
}

function indented([first = '', ...rest]: readonly string[]): readonly string[] {
  return [`  ${first}`, ...rest];
}
