/** What gateways share besides units, in the simulated ledger: the list of stations, and the mark of the ledger. */
import type { GatewayLedger } from '../../runtime/core/store/ledger.ts';
import type { LedgerTables } from './in-memory-ledger.ts';
import type { Undo } from './in-memory-table.ts';

type Call = <T>(action: (undo: Undo) => T) => Promise<T>;

export function listVerbs(
  call: Call,
  { stationLists, marks }: LedgerTables,
): Pick<GatewayLedger, 'stationList' | 'keepStationList' | 'raiseMark'> {
  return {
    stationList: (known) =>
      call(() => {
        const [kept] = stationLists.group('');
        return kept === undefined || kept.number <= known ? null : kept.jws;
      }),
    keepStationList: (number, jws) =>
      call((undo) => {
        const [held] = stationLists.group('');
        if (held !== undefined && held.number > number) return held.jws;
        if (held === undefined) stationLists.insert({ id: 1, number, jws }, undo);
        else stationLists.replace(held, { id: 1, number, jws }, undo);
        return jws;
      }),
    raiseMark: (told) =>
      call((undo) => {
        const [held] = marks.group('');
        if ((held?.mark ?? 0) < told) return null;
        const mark = (held?.mark ?? 0) + 1;
        if (held === undefined) marks.insert({ id: 1, mark }, undo);
        else marks.replace(held, { id: 1, mark }, undo);
        return mark;
      }),
  };
}
