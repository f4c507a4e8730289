import type { FaultDefinition } from '../faults.ts';

/** Faults of what readers, witnesses and customers hold of the fleet log. */
export const faultsOfLog = {
  LEAF_TOO_LARGE: {
    title: 'An event is too large for the fleet log',
    cause: 'It names more units than fit into one leaf of 65,535 bytes.',
    remedy: 'Use fewer units at a time.',
    disposition: 'hold',
    blame: 'own',
  },
  LOG_EXPORT_INVALID: {
    title: 'The export of the fleet log is not what was signed',
    cause: 'An entry or a tile was changed, dropped or not copied, at the place that is named here.',
    remedy:
      'Take the export again and compare. If the new one fails at the same place, tell the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
  POLICY_INVALID: {
    title: 'The policy of witnesses cannot be used',
    cause:
      'A line of the file is of another form, names what is not defined before it, or there is no quorum.',
    remedy: 'Correct the line that is named here.',
    disposition: 'hold',
    blame: 'outside',
  },
  PROOF_INCOMPLETE: {
    title: 'Too few witnesses have cosigned the record of this unit yet',
    cause: 'The record is younger than the last round of the witnesses, or some of them do not answer.',
    remedy: 'Wait: the backend asks them again by itself. If this lasts, check the witnesses.',
    disposition: 'retry',
    blame: 'outside',
  },
  PROOF_INVALID: {
    title: 'This proof does not prove that the record was logged',
    cause:
      'File, record or policy are of another unit or another log, were changed, or witnesses are missing.',
    remedy:
      'Take the proof and the record of this unit again from the fleet. If both fail, tell the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
  TIMESTAMP_INVALID: {
    title: 'This is no time-stamp of the checkpoint',
    cause: 'The authority refused, it stamped another file, or the checkpoint is of another log.',
    remedy: 'Take checkpoint and request anew, and have that request stamped.',
    disposition: 'hold',
    blame: 'outside',
  },
  WITNESS_UNREACHABLE: {
    title: 'A witness of the fleet log does not answer',
    cause: 'The witness is down, its address is wrong, or a network between lets nothing through.',
    remedy: 'Check the witness and the way to it. Units go on meanwhile; their proofs come later.',
    disposition: 'retry',
    blame: 'outside',
  },
  WITNESS_REFUSES: {
    title: 'A witness does not cosign the fleet log',
    cause:
      'It does not know this log or its key, or it has seen another history of it: then the log was forked or rolled back.',
    remedy:
      'Check what the witness shows of this log against the database. If it has seen another history, stop the line and tell the security officer.',
    disposition: 'hold',
    blame: 'outside',
  },
} as const satisfies Record<string, FaultDefinition>;
