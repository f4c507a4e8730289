/** What the backend is told about stations: that officers have revoked one. Row and leaf are committed together. */
import type { BackendConfig } from '../../../config/backend.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { leafOf } from '../../core/log/leaf.ts';
import { type Approval, demandApprovals } from '../../core/messages/approval.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import {
  revokeStation,
  stationRevocationSubject,
  tellStationRevocations,
} from '../../core/messages/station-revocation.ts';
import type { RevokedStationRow } from '../../core/store/fleet.ts';
import type { BackendPorts } from '../ports.ts';
import type { RevokedStations } from '../revoked-stations.ts';
import type { Sequencer } from '../sequencer.ts';

export function stationInstructions(
  { stationQuorum }: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
  revoked: RevokedStations,
): readonly InstructionHandler[] {
  return [
    instructionHandler(revokeStation, async ({ station, reason, approvals }) => {
      if (stationQuorum === null)
        throw new Fault('CONFIG_INVALID', {
          setting: 'stationQuorum',
          why: 'nobody may revoke a station here',
        });
      const nowMs = ports.clock.now();
      const subject = stationRevocationSubject({ station, reason }, ports.crypto);
      const demand = { purpose: 'station-revocation', subject, quorum: stationQuorum, nowMs } as const;
      const approved = demandApprovals(approvals, demand, ports.trusted, ports.crypto);
      const row = await revoke({ station, reason, since: instantOf(nowMs) }, approved, sequencer);
      revoked.add(row);
      ports.log.write('warn', 'station-revoked', { station, since: row.since, number: row.number });
      return { ...(await revoked.signed()), since: row.since };
    }),
    instructionHandler(tellStationRevocations, () => revoked.signed()),
  ];
}

async function revoke(
  of: Omit<RevokedStationRow, 'number'>,
  approvals: readonly Approval[],
  sequencer: Sequencer,
): Promise<RevokedStationRow> {
  const { value } = await sequencer.add(async (draft) => {
    const rows = await draft.tx.revokedStations();
    const known = rows.find(({ station }) => station === of.station);
    if (known !== undefined) return known;
    const row = { ...of, number: rows.length + 1 };
    await draft.tx.insertRevokedStation(row);
    draft.append(
      leafOf('station-revocation', `station-revocation/${of.station}`, of.since, {
        station: of.station,
        reason: of.reason,
        number: row.number,
        officers: approvals.map(({ officer }) => officer),
        approvals: approvals.map(({ approval }) => approval),
      }),
    );
    return row;
  }, false);
  return value;
}
