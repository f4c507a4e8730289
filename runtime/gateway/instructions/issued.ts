/** What a gateway states of the certificates that its ledger knows, so that no plan of revocation misses one. */
import type { GatewayConfig } from '../../../config/gateway.ts';
import { toHex } from '../../core/bytes.ts';
import { instantOf } from '../../core/instant.ts';
import { seal } from '../../core/messages/envelope.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { ISSUED_MAX, issuedCertificates, listIssuedInstruction } from '../../core/messages/issued.ts';
import { parseTbs } from '../../core/pki/certificate.ts';
import type { MakerIdentifiers } from '../../core/pki/profile.ts';
import type { Signer } from '../../core/ports.ts';
import type { CertificateRow } from '../../core/store/ledger.ts';
import { identifiersOf } from '../issuers.ts';
import type { GatewayPorts } from '../ports.ts';

/** @param signer the gateway's key of envelopes */
export function issuedInstructions(
  config: GatewayConfig,
  { ledger, clock, crypto }: GatewayPorts,
  signer: Signer,
): readonly InstructionHandler[] {
  return [
    instructionHandler(listIssuedInstruction, async ({ key, value, after }) => {
      const found = await ledger.certificatesBy(key, value, after, ISSUED_MAX + 1);
      const rows = found.slice(0, ISSUED_MAX);
      const certificates = rows.map((row) => statedOf(row, identifiersOf(config)));
      const payload = { gateway: config.gateway, at: instantOf(clock.now()), certificates };
      const statement = await seal(issuedCertificates, payload, signer, crypto);
      return { statement, next: found.length > rows.length ? (rows.at(-1)?.serial ?? null) : null };
    }),
  ];
}

/** Which key of the intermediate signs stands in what is signed: a name may have had two. */
function statedOf(
  { serial, eid, operation, issuer, batch, station, notBefore, toBeSigned }: CertificateRow,
  identifiers: MakerIdentifiers,
) {
  const issuerKeyId = toHex(parseTbs(toBeSigned, identifiers).authorityKeyIdentifier ?? new Uint8Array(0));
  return { serial, eid, operation, issuer, issuerKeyId, batch, station, notBefore };
}
