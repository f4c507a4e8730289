/** The transcripts that a simulated line left in its gateway's ledger, and what they are checked with. */
import assert from 'node:assert/strict';
import { publicKeyOf } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createSimulatedToken, type SimulatedToken } from '../../drivers/token/simulated.ts';
import { checkTranscript, type IssuerKey, type Trust } from '../../runtime/cli/transcript/checks.ts';
import { fileOf } from '../../runtime/cli/transcript/kept.ts';
import { recompute } from '../../runtime/cli/transcript/recompute.ts';
import { type TranscriptFile, transcriptFile } from '../../runtime/core/card/transcript-form.ts';
import { sessionsOf } from '../../runtime/core/card/transcript-sessions.ts';
import type { ConclusionRow } from '../../runtime/core/store/ledger.ts';
import { ISSUER } from '../../scripts/simulation/parties.ts';
import { mastersOf, usualSupply } from '../../scripts/simulation/supply.ts';
import type { World } from '../../scripts/simulation/world.ts';

/** The newest of each chip first. */
export async function rowsOf(world: World): Promise<readonly ConclusionRow[]> {
  const ledger = world.ledger.connect();
  const eids = new Set(
    world.stations
      .flatMap(({ program }) => program.nests.flatMap((nest) => nest.view.facts))
      .flatMap((fact) => (fact.name === 'identified' ? [fact.identity.eid] : [])),
  );
  return (await Promise.all([...eids].map((eid) => ledger.transcriptsOf(eid)))).flat();
}

export function parsed(row: ConclusionRow): TranscriptFile {
  return transcriptFile.parse(JSON.parse(fileOf(row)));
}

export function issuerOf({ parties }: World): IssuerKey {
  const key = parties.gatewayKeys[`issuer-${ISSUER}`] ?? assert.fail();
  return { name: ISSUER, publicKey: publicKeyOf(key) };
}

export function trustOf(world: World): Trust {
  const gateways = world.parties.trusted.filter(({ role }) => role === 'gateway');
  return { gateways, issuers: [issuerOf(world)] };
}

/** A token of another process with the same masters: it knows nothing of what the gateway's has done. */
export function tokenOf({ parties }: World): SimulatedToken {
  return createSimulatedToken({
    entropy: createSimulatedEntropy('auditor'),
    masters: mastersOf(parties, usualSupply),
    signingKeys: {},
  });
}

/** By anybody with public keys, and every session by a token with the same masters. */
export async function assertVerified(file: TranscriptFile, world: World): Promise<void> {
  const checks = checkTranscript(file, trustOf(world), nodeCrypto);
  assert.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
  const sessions = await recompute(sessionsOf(file.transcript), tokenOf(world), file.kind === 'verdict');
  assert.deepEqual(
    sessions.filter(({ ok }) => ok === false),
    [],
  );
}
