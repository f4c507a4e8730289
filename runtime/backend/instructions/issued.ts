/** What the backend takes of a gateway's word: certificates that no record names, each with a leaf of the log. */
import { instantOf } from '../../core/instant.ts';
import { leafOf } from '../../core/log/leaf.ts';
import { hashOf, open } from '../../core/messages/envelope.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { issuedCertificates, takeIssuedInstruction } from '../../core/messages/issued.ts';
import type { UnitCertificateRow } from '../../core/store/revocation.ts';
import type { BackendPorts } from '../ports.ts';
import type { Sequencer } from '../sequencer.ts';

/** @throws Fault ENVELOPE_INVALID for a statement that no trusted gateway signed */
export function issuedInstructions(
  { trusted, crypto, clock }: BackendPorts,
  sequencer: Sequencer,
): readonly InstructionHandler[] {
  return [
    instructionHandler(takeIssuedInstruction, async ({ statement }) => {
      const { payload } = open(issuedCertificates, statement, trusted, crypto);
      const rows = payload.certificates.map(({ notBefore, ...row }) => ({ ...row, recordedAt: notBefore }));
      const { value: added } = await sequencer.add(async ({ tx, append }) => {
        const fresh = new Set(await tx.addUnitCertificates(rows));
        const added = rows.filter(({ serial }) => fresh.has(serial));
        if (added.length > 0) {
          const hash = hashOf(statement, crypto);
          const body = { statement: hash, gateway: payload.gateway, certificates: added.map(plain) };
          append(leafOf('issued-certificates', `issued/${hash}`, instantOf(clock.now()), body));
        }
        return added.length;
      }, false);
      return { known: rows.length - added, added };
    }),
  ];
}

function plain({ serial, eid, operation, issuer, issuerKeyId, batch, station }: UnitCertificateRow) {
  return { serial, eid, operation, issuer, issuerKeyId, batch, station };
}
