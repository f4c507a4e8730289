/** `holdfast status`: one screen of a line, or of one station. */
import { Fault } from '../../core/faults.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet, textOf } from '../command.ts';
import { DEFAULT_LINE } from '../fleet/place.ts';
import { stationsIn } from '../journal/place.ts';
import type { Means } from '../means.ts';
import { faultJson } from '../show-fault.ts';
import { type StationState, stationState } from './station-state.ts';
import { isStuck, stationLines } from './text.ts';

export const statusCommand: Command = {
  name: 'status',
  summary: 'what runs, what is in each nest, what is held and what to do',
  options: {
    dir: {
      type: 'string',
      value: 'DIR',
      help: `a line’s directory (default ${DEFAULT_LINE}), or one station’s`,
    },
  },
  notes: [
    'Exit: 0 all is well, 3 a unit is held or waits for a station that does not run, 1 a journal is faulty.',
  ],
  examples: ['holdfast status', 'holdfast status --dir var/line/station-1'],
  run: async (given, means) => {
    const directory = textOf(given, 'dir') ?? DEFAULT_LINE;
    const stations: StationState[] = [];
    for (const [name, place] of placesIn(directory, means))
      stations.push(await stationState(name, place, means));
    if (isSet(given, 'json')) means.print(JSON.stringify({ stations: stations.map(jsonOf) }));
    else
      for (const [i, station] of stations.entries())
        for (const line of [...(i === 0 ? [] : ['']), ...stationLines(station, means.now(), means.paint)])
          means.print(line);
    return exitCodeOf(stations);
  },
};

/** @throws Fault JOURNAL_MISSING where there is neither a station nor a line */
function placesIn(directory: string, { files }: Means): readonly (readonly [name: string, place: string])[] {
  const isStation = ['genesis', 'journal/genesis', 'station.json'].some((part) =>
    files.exists(`${directory}/${part}`),
  );
  if (isStation) return [[directory.replace(/\/+$/, '').split('/').at(-1) ?? directory, directory]];
  const stations = stationsIn(directory, files);
  if (stations.length === 0)
    throw new Fault('JOURNAL_MISSING', { directory, why: 'it is no station’s directory, and none is in it' });
  return stations.map((name) => [name, `${directory}/${name}`]);
}

/** A fault of a journal weighs more than a held unit: what it says of units may be wrong. */
function exitCodeOf(stations: readonly StationState[]): number {
  if (stations.some((station) => station.fault !== null)) return ExitCode.fault;
  const stuck = stations.some(({ nests, running }) => nests.some((nest) => isStuck(nest, running)));
  return stuck ? ExitCode.held : ExitCode.done;
}

function jsonOf({ fault, last, ...station }: StationState): object {
  return {
    ...station,
    last: last.map(({ entry: { sequence, at, hash, fact } }) => ({ sequence, at, hash, fact })),
    fault: fault === null ? null : faultJson(fault),
  };
}
