/** What the backend is told about stations: that officers have enrolled or revoked one. Row and leaf are committed together. */
import type { BackendConfig } from '../../../config/backend.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { leafOf } from '../../core/log/leaf.ts';
import { type Approval, demandApprovals, type Quorum } from '../../core/messages/approval.ts';
import { type Enrolment, enrolmentSubject, readEnrolment } from '../../core/messages/enrolment.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { enrolmentRow, enrolStation } from '../../core/messages/station-enrolment.ts';
import {
  REVOKED_MAX,
  revokeStation,
  stationRevocationSubject,
  tellStationRevocations,
} from '../../core/messages/station-revocation.ts';
import type { EnrolledStationRow, RevokedStationRow } from '../../core/store/fleet.ts';
import type { BackendPorts } from '../ports.ts';
import type { Sequencer } from '../sequencer.ts';
import type { StationRegister } from '../station-register.ts';

export function stationInstructions(
  config: BackendConfig,
  ports: BackendPorts,
  sequencer: Sequencer,
  register: StationRegister,
): readonly InstructionHandler[] {
  return [
    instructionHandler(revokeStation, async ({ station, reason, approvals }) => {
      const quorum = quorumOf(config, 'nobody may revoke a station here');
      const nowMs = ports.clock.now();
      const subject = stationRevocationSubject({ station, reason }, ports.crypto);
      const demand = { purpose: 'station-revocation', subject, quorum, nowMs } as const;
      const approved = demandApprovals(approvals, demand, ports.trusted, ports.crypto);
      const row = await revoke({ station, reason, since: instantOf(nowMs) }, approved, sequencer);
      register.revoke(row);
      ports.log.write('warn', 'station-revoked', { station, since: row.since, number: row.number });
      return { ...(await register.signed()), since: row.since };
    }),
    instructionHandler(enrolStation, async ({ request, approvals }) => {
      const quorum = quorumOf(config, 'nobody may enrol a station here');
      const nowMs = ports.clock.now();
      const asked = readEnrolment(request, ports.crypto);
      const subject = enrolmentSubject(asked, ports.crypto);
      const demand = { purpose: 'station-enrolment', subject, quorum, nowMs } as const;
      const approved = demandApprovals(approvals, demand, ports.trusted, ports.crypto);
      const row = await enrol(asked, instantOf(nowMs), approved, { ports, sequencer });
      register.enrol(row);
      ports.log.write('warn', 'station-enrolled', { station: row.station, number: row.number });
      return { ...(await register.signed()), since: row.since };
    }),
    instructionHandler(tellStationRevocations, () => register.signed()),
  ];
}

/** @throws Fault CONFIG_INVALID */
function quorumOf({ stationQuorum }: BackendConfig, why: string): Quorum {
  if (stationQuorum === null) throw new Fault('CONFIG_INVALID', { setting: 'stationQuorum', why });
  return stationQuorum;
}

/** @throws Fault ENROLMENT_REFUSED, STATION_LIST_FULL */
async function enrol(
  asked: Enrolment,
  since: string,
  approvals: readonly Approval[],
  { ports, sequencer }: { readonly ports: BackendPorts; readonly sequencer: Sequencer },
): Promise<EnrolledStationRow> {
  const { value } = await sequencer.add(async ({ tx, append }) => {
    const [enrolled, revoked] = await Promise.all([tx.enrolledStations(), tx.revokedStations()]);
    const row = enrolmentRow(asked, { enrolled, revoked }, ports.trusted, since);
    if (enrolled.some(({ number }) => number === row.number)) return row;
    await tx.insertEnrolledStation(row);
    append(
      leafOf('station-enrolment', `station-enrolment/${row.number}`, since, {
        ...row,
        officers: approvals.map(({ officer }) => officer),
        approvals: approvals.map(({ approval }) => approval),
      }),
    );
    return row;
  }, false);
  return value;
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
    if (rows.length >= REVOKED_MAX)
      throw new Fault('STATION_LIST_FULL', { station: of.station, revoked: rows.length });
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
