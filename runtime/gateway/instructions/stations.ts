/** What a gateway is told about stations: the backend's list of those that are revoked, and those that are enrolled. */
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { takeStationRevocations } from '../../core/messages/station-revocation.ts';
import type { StationList } from '../station-list.ts';

/** @param dropped called for each revoked station: its dialogues end */
export function stationInstructions(
  known: StationList,
  dropped: (station: string) => void,
): readonly InstructionHandler[] {
  return [
    instructionHandler(takeStationRevocations, async ({ list }) => {
      const { number, stations, enrolled = [] } = await known.take(list);
      const names = stations.map(({ station }) => station);
      for (const station of names) dropped(station);
      return { number, stations: names, enrolled: enrolled.map(({ station }) => station) };
    }),
  ];
}
