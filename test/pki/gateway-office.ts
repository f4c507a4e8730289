/** Gateways of one HSM with as many intermediates as asked for, on simulated ports, without a line. */
import { createSimulatedClock, type SimulatedClock } from '../../drivers/clock/simulated.ts';
import { privateKeyFrom, publicKeyOf } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryInstructionDoor } from '../../drivers/instruction/in-memory.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { createInMemoryLedgerDatabase } from '../../drivers/store/in-memory-ledger.ts';
import { createInMemoryMark } from '../../drivers/store/in-memory-mark.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { createSimulatedToken } from '../../drivers/token/simulated.ts';
import type { Bytes } from '../../runtime/core/bytes.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { type Role, seal, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import { revocationOrder } from '../../runtime/core/messages/revocation.ts';
import { type TrustList, trustListStatement } from '../../runtime/core/messages/trust-list.ts';
import {
  type CertificateIntent,
  documentationIdentifiers,
  type ProfileName,
} from '../../runtime/core/pki/profile.ts';
import type { Scope } from '../../runtime/core/pki/scope.ts';
import { toBeSigned } from '../../runtime/core/pki/tbs.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import type { CertificateRow } from '../../runtime/core/store/ledger.ts';
import { crlInstructions } from '../../runtime/gateway/instructions/crl.ts';
import { createIssuance } from '../../runtime/gateway/issuance.ts';
import { openIssuers, type ReadyIssuer } from '../../runtime/gateway/issuers.ts';
import type { GatewayPorts } from '../../runtime/gateway/ports.ts';
import { gatewaySettings } from '../../scripts/simulation/settings.ts';
import { usualSupply } from '../../scripts/simulation/supply.ts';
import { makeAuthority, makeDevice, NOW_MS, type TestAuthority } from './hierarchy.ts';

export const root = makeAuthority('Office root', null);
export const backend: Signer = createSoftwareSigner(privateKeyFrom(new Uint8Array(40).fill(77)));
export const stranger: Signer = createSoftwareSigner(privateKeyFrom(new Uint8Array(40).fill(78)));
const trusted: readonly TrustedKey[] = [
  { name: 'backend-1', role: 'backend' satisfies Role, publicKey: backend.publicKey },
];

export interface OfficeOptions {
  readonly issuers?: number;
  readonly scope?: Scope | null;
  readonly profile?: ProfileName;
  readonly change?: (ports: GatewayPorts) => Partial<GatewayPorts>;
  readonly crl?: boolean;
}

/** The scalar of an intermediate's key. */
export const scalarOf = (i: number): Bytes => privateKeyFrom(createSimulatedEntropy(`issuer ${i}`).bytes(40));

function authorityFor(i: number, scope: Scope | null): TestAuthority {
  const publicKey = publicKeyOf(scalarOf(i));
  const keyIdentifier = nodeCrypto.sha256(publicKey).subarray(0, 20);
  return makeAuthority(`Office line ${i}`, root, { publicKey, keyIdentifier, scope });
}

export interface World {
  readonly clock: SimulatedClock;
  readonly ledger: ReturnType<typeof createInMemoryLedgerDatabase>;
  /** What is published, by name. */
  readonly published: Map<string, Bytes>;
  readonly authorities: readonly TestAuthority[];
  /** Starts a gateway; each has its own connection to the ledger. */
  start(): Promise<Awaited<ReturnType<typeof startGateway>>>;
}

export function createOffice(options: OfficeOptions = {}): World {
  const clock = createSimulatedClock(NOW_MS);
  const ledger = createInMemoryLedgerDatabase({ clock });
  const published = new Map<string, Bytes>();
  const authorities = Array.from({ length: options.issuers ?? 2 }, (_, i) =>
    authorityFor(i, options.scope ?? null),
  );
  const world = { clock, ledger, published, authorities };
  return { ...world, start: () => startGateway(world, options) };
}

async function startGateway(world: Omit<World, 'start'>, options: OfficeOptions) {
  const config = {
    ...gatewaySettings(usualSupply),
    scopeExtension: documentationIdentifiers.scope ?? null,
    region: options.scope?.region ?? null,
    crl: options.crl === false ? null : { directory: 'simulated', validityDays: 30 },
  };
  const instructions = createInMemoryInstructionDoor();
  const entropy = createSimulatedEntropy('office');
  const own: GatewayPorts = {
    clock: world.clock,
    entropy,
    crypto: nodeCrypto,
    bus: { publish: none, subscribe: none, onLink: () => undefined, close: none },
    token: createSimulatedToken({
      entropy,
      masters: {},
      signingKeys: Object.fromEntries(world.authorities.map((_, i) => [`issuer-line-${i}`, scalarOf(i)])),
    }),
    ledger: world.ledger.connect(),
    marks: createInMemoryMark(),
    certificates: { toBeSigned: async (intent) => toBeSigned(intent) },
    instructions,
    issuers: world.authorities.map(({ certificate }, i) => ({
      name: `line-${i}`,
      key: `issuer-line-${i}`,
      certificate,
      ...(options.profile === undefined ? {} : { profile: options.profile }),
    })),
    publisher: {
      publish: async (name, content) => {
        world.published.set(name, content);
      },
    },
    trusted,
    log: createMemoryLog(),
  };
  const ports = { ...own, ...options.change?.(own) };
  const issuers = await openIssuers(config, ports);
  await instructions.serve(await crlInstructions(config, ports, issuers));
  return { ports, issuers, issuance: createIssuance(ports), instruct: instructions.instruct };
}

const none = (): Promise<void> => Promise.resolve();

/** What a gateway would store for a unit with this EID and key. */
export function intentOf(
  issuer: ReadyIssuer,
  authority: TestAuthority,
  changes: Partial<CertificateIntent> = {},
): { readonly row: CertificateRow; readonly shape: CertificateIntent } {
  const { intent: shape } = makeDevice(authority, issuer.profile, changes);
  const row = {
    serial: toHex(shape.serial),
    eid: shape.eid,
    publicKey: shape.publicKey,
    issuer: issuer.name,
    ...{ operation: 'operation', batch: 'B-1', station: 'station-1' },
    profile: shape.profile,
    notBefore: instantOf(shape.notBeforeMs),
    toBeSigned: toBeSigned(shape),
    certificate: null,
  };
  return { row, shape };
}

export function orderFor(
  issuer: string,
  serials: readonly string[],
  changes: { readonly signer?: Signer; readonly revokedAt?: string } = {},
): Promise<string> {
  const payload = {
    plan: '11'.repeat(32),
    issuer,
    reason: 'keyCompromise' as const,
    revokedAt: changes.revokedAt ?? instantOf(NOW_MS),
    serials: [...serials],
  };
  return seal(revocationOrder, payload, changes.signer ?? backend, nodeCrypto);
}

export function trustListOf(
  number: number,
  revoked: readonly TestAuthority[],
  signer: Signer = backend,
): Promise<string> {
  const list: TrustList = {
    number,
    issuedAt: instantOf(NOW_MS),
    intermediates: revoked.map(({ parsed }, i) => ({
      name: `line-${i}`,
      keyIdentifier: toHex(parsed.keyIdentifier ?? new Uint8Array(0)),
      reason: 'cACompromise',
      revokedAt: instantOf(NOW_MS),
    })),
    stations: [],
  };
  return seal(trustListStatement, list, signer, nodeCrypto);
}
