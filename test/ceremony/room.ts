/** A simulated HSM room: officers, custodians, a token, a shelf, and a clock that goes on by itself. */
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createInMemoryShelf, type InMemoryShelf } from '../../drivers/shelf/in-memory.ts';
import {
  createSimulatedCeremonyToken,
  type SimulatedCeremonyOptions,
  type SimulatedCeremonyToken,
} from '../../drivers/token/ceremony-simulated.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import type { Ceremony } from '../../runtime/cli/ceremony/conduct.ts';
import { fromHex, toHex, xor } from '../../runtime/core/bytes.ts';
import { type CeremonyPlan, kdfOf, planForm, planHash } from '../../runtime/core/ceremony/plan.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { instantMs, instantOf } from '../../runtime/core/instant.ts';
import { type ApprovalPayload, approvalStatement } from '../../runtime/core/messages/approval.ts';
import { seal, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import type { Signer } from '../../runtime/core/ports.ts';

export const AT = instantMs('2026-11-22T12:00:00.000Z');
const entropy = createSimulatedEntropy('HSM room');
const signer = (): Signer => createSoftwareSigner(privateKeyFrom(entropy.bytes(40)));
/** Zoe is an officer too, of nothing here. */
export const officers = { ada: signer(), bob: signer(), eve: signer(), zoe: signer() } as const;
export type Officer = keyof typeof officers;
export const stranger = signer();
export const trusted: readonly TrustedKey[] = Object.entries(officers).map(([name, { publicKey }]) => ({
  name,
  role: 'officer',
  publicKey,
}));

/** Component and check value of each custodian. */
export const custody = {
  carla: custodian(32),
  dario: custodian(32),
} as const;
export const components = [
  { custodian: 'carla', checkValue: custody.carla.checkValue },
  { custodian: 'dario', checkValue: custody.dario.checkValue },
] as const;

/** Check value of the key that the components join. */
export const JOINED = checkValueOf(xor(fromHex(custody.carla.component), fromHex(custody.dario.component)));

function custodian(bytes: number): { readonly component: string; readonly checkValue: string } {
  const component = entropy.bytes(bytes);
  return { component: toHex(component), checkValue: checkValueOf(component) };
}

function checkValueOf(key: Uint8Array): string {
  return toHex(nodeCrypto.aesEncryptBlock(key, new Uint8Array(16)).subarray(0, 3));
}

export const ID = '1d9d9c2a-5f0f-4b1f-9a43-0c8f5e6f7a01';

/** A plan with something of everything that a simulated token can do. */
export function planOf(changes: Readonly<Record<string, unknown>> = {}): CeremonyPlan {
  return planForm.parse({
    contract: 'holdfast/ceremony-plan-1',
    id: ID,
    title: 'Masters of line 1',
    profile: 'laboratory',
    token: { role: 'gateway', label: 'gateway', serial: 'a1b2', class: 'software' },
    quorum: { required: 2, officers: ['ada', 'bob', 'eve'] },
    steps: [
      { do: 'generate', key: 'constants-seal' },
      { do: 'generate', key: 'mdk-1', backup: { file: 'mdk-1.wrapped', components } },
      { do: 'join', key: 'transport-master', components, checkValue: JOINED },
      { do: 'key-pair', key: 'issuer-line-1' },
      { do: 'constants', file: 'constants.json', keyVersions: { 'mdk-1': [0x31] } },
      { do: 'release-tag', controller: 'c1', file: 'c1.tag.key' },
    ],
    ...changes,
  });
}

export const gatewayToken = {
  softwareToken: true,
  module: 'simulated',
  label: 'gateway',
  serial: 'a1b2',
} as const;

export function approve(
  plan: CeremonyPlan,
  officer: Officer,
  changes: Partial<ApprovalPayload> = {},
  by: Signer = officers[officer],
): Promise<string> {
  return seal(
    approvalStatement,
    {
      purpose: 'ceremony',
      subject: planHash(plan, nodeCrypto),
      officer,
      reason: 'masters of line 1',
      approvedAt: instantOf(AT),
      notAfter: instantOf(AT + 86_400_000),
      ...changes,
    },
    by,
    nodeCrypto,
  );
}

export interface Room extends Ceremony {
  readonly token: SimulatedCeremonyToken;
  readonly shelf: InMemoryShelf;
}

export interface RoomOptions {
  readonly approvals?: readonly string[];
  readonly token?: Partial<SimulatedCeremonyOptions>;
  readonly shelf?: InMemoryShelf;
  readonly startMs?: number;
}

/** Everything that a ceremony under this plan needs; ada and bob approve, ada conducts. */
export async function roomOf(plan: CeremonyPlan, options: RoomOptions = {}): Promise<Room> {
  const files = new Map(Object.entries(custody).map(([name, { component }]) => [`${name}.key`, component]));
  let nowMs = options.startMs ?? AT + 1000;
  return {
    plan,
    approvals: options.approvals ?? [await approve(plan, 'ada'), await approve(plan, 'bob')],
    trusted,
    conductor: { name: 'ada', signer: officers.ada },
    token: createSimulatedCeremonyToken({
      role: plan.token.role,
      kdf: kdfOf(plan),
      description: gatewayToken,
      components: files,
      ...options.token,
    }),
    shelf: options.shelf ?? createInMemoryShelf(),
    directory: 'record',
    componentFiles: new Map(Object.keys(custody).map((name) => [name, `${name}.key`])),
    crypto: nodeCrypto,
    now: () => {
      nowMs += 10;
      return nowMs;
    },
    tell: () => undefined,
  };
}

export function withCode(code: FaultCode, context: Readonly<Record<string, unknown>> = {}) {
  return (error: unknown): boolean => {
    if (!isFault(error) || error.code !== code) throw error;
    for (const [name, value] of Object.entries(context)) {
      const found = error.context[name];
      if (value instanceof RegExp ? !value.test(String(found)) : found !== value) throw error;
    }
    return true;
  };
}
