/**
 * The laboratory's ceremony: the gateway's token is made by a plan that both officers approve, through the code of
 * `holdfast ceremony run`, with key files where a factory has tokens and people. The record lies beside the token.
 */
import { createCipheriv, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { instruct } from '../../drivers/instruction/client.ts';
import { openDirectoryShelf } from '../../drivers/shelf/directory.ts';
import { openPkcs11CeremonyToken } from '../../drivers/token/pkcs11/ceremony/process.ts';
import { createBareToken, type GatewayToken, placeOfToken } from '../../drivers/token/pkcs11/provision.ts';
import { conduct, RECORD_FILE } from '../../runtime/cli/ceremony/conduct.ts';
import { type Bytes, fromBase64, toHex, xor } from '../../runtime/core/bytes.ts';
import { type CeremonyPlan, planForm, planHash } from '../../runtime/core/ceremony/plan.ts';
import type { CeremonyRecord } from '../../runtime/core/ceremony/record.ts';
import { verifyRecord } from '../../runtime/core/ceremony/verification.ts';
import { ceremonyRecordInstruction } from '../../runtime/core/messages/ceremony-record.ts';
import { hashOf, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import { secretFile } from './keys.ts';
import type { LinePlaces } from './places.ts';
import { approveSubject, OFFICERS, officerKey, QUORUM } from './root.ts';

/** Who holds the parts of the key under which the vendor's masters come. */
const CUSTODIANS = ['custodian-1', 'custodian-2'] as const;
/** Initial value of AES-KWP. RFC 5649 section 3. */
const KWP_IV = Buffer.from('a65959a6', 'hex');
const LABEL = 'gateway';
/** Bytes of a P-256 point, the end of its SubjectPublicKeyInfo. */
const POINT_BYTES = 65;

/** What the plan makes. */
export interface GatewayKeys {
  /** Masters whose values are files in the vendor's place. */
  readonly imported: readonly string[];
  readonly generated: readonly string[];
  readonly signing: readonly string[];
  /** Key versions of each master that constants are computed for. */
  readonly keyVersions: Readonly<Record<string, readonly number[]>>;
}

/** The gateway's token as its ceremony left it; a ceremony that is over is read and verified, and nothing done again. */
export async function gatewayTokenOf(places: LinePlaces, keys: GatewayKeys): Promise<GatewayToken> {
  const directory = ceremonyDirectory(places);
  const made = { directory: join(places.gateway, 'token'), label: LABEL };
  const file = join(directory, RECORD_FILE);
  const trusted = await officers(places);
  if (!existsSync(file)) {
    await createBareToken({ ...made, role: 'gateway' });
    await carryOut(places, planIn(places, keys), trusted);
  }
  const { record } = verifyRecord(readFileSync(file, 'utf8').trim(), trusted, nodeCrypto);
  const constantsFile = join(directory, 'constants.json');
  return { ...placeOfToken(made), constantsFile, publicKeys: pointsIn(record) };
}

/** Countersigned by the officer who did not conduct it, the record gets its leaf; linked again, it keeps the first. */
export async function linkCeremony(places: LinePlaces, backendSocket: string): Promise<void> {
  const record = readFileSync(join(ceremonyDirectory(places), RECORD_FILE), 'utf8').trim();
  const [, witness] = OFFICERS;
  const signed = await approveSubject(places, witness, {
    subject: hashOf(record, nodeCrypto),
    purpose: 'ceremony',
    nowMs: Date.now(),
  });
  writeFileSync(join(ceremonyDirectory(places), `${witness}.witness.jws`), `${signed}\n`, { mode: 0o600 });
  await instruct(backendSocket, ceremonyRecordInstruction, { record, witnesses: [signed] });
}

export function ceremonyDirectory(places: LinePlaces): string {
  return join(places.gateway, 'ceremony');
}

async function carryOut(
  places: LinePlaces,
  plan: CeremonyPlan,
  trusted: readonly TrustedKey[],
): Promise<void> {
  const [conductor] = OFFICERS;
  const subject = planHash(plan, nodeCrypto);
  const approval = { subject, purpose: 'ceremony', nowMs: Date.now() } as const;
  const { softHsmConf, ...place } = placeOfToken({ directory: join(places.gateway, 'token'), label: LABEL });
  await using token = await openPkcs11CeremonyToken({
    ...place,
    softHsmConf,
    laboratory: true,
    role: 'gateway',
  });
  await conduct({
    plan,
    approvals: await Promise.all(OFFICERS.map((name) => approveSubject(places, name, approval))),
    trusted,
    conductor: { name: conductor, signer: await officerKey(places, conductor) },
    token,
    shelf: openDirectoryShelf(),
    directory: ceremonyDirectory(places),
    componentFiles: new Map(CUSTODIANS.map((name) => [name, componentFile(places, name)])),
    crypto: nodeCrypto,
    now: () => Date.now(),
    tell: () => undefined,
  });
}

/** The plan of a ceremony that was begun, or a new one. */
function planIn(places: LinePlaces, keys: GatewayKeys): CeremonyPlan {
  const begun = join(ceremonyDirectory(places), 'plan.json');
  if (existsSync(begun)) return planForm.parse(JSON.parse(readFileSync(begun, 'utf8')));
  const parts = CUSTODIANS.map((name) => secretFile(componentFile(places, name), 32));
  const under = { method: 'aes-kwp', components: CUSTODIANS.map(componentOf) } as const;
  return planForm.parse({
    contract: 'holdfast/ceremony-plan-1',
    id: randomUUID(),
    title: 'Keys of a laboratory line',
    profile: 'laboratory',
    token: { role: 'gateway', label: LABEL, serial: null, class: 'software' },
    quorum: QUORUM,
    steps: [
      { do: 'generate', key: 'constants-seal' },
      ...keys.imported.map((key) => ({ do: 'import', key, under, ...wrapped(key) })),
      ...keys.generated.map((key) => ({ do: 'generate', key })),
      ...keys.signing.map((key) => ({ do: 'key-pair', key })),
      { do: 'constants', file: 'constants.json', keyVersions: keys.keyVersions },
    ],
  });

  function componentOf(custodian: string, at: number) {
    return { custodian, checkValue: checkValueOf(parts[at] ?? new Uint8Array(0)) };
  }

  /** What a vendor sends: its master under the custodians' key. */
  function wrapped(key: string): { readonly file: string; readonly checkValue: string } {
    const master = secretFile(join(places.vendor, key), 32);
    const cipher = createCipheriv('id-aes256-wrap-pad', parts.reduce<Bytes>(xor, new Uint8Array(32)), KWP_IV);
    const file = join(places.vendor, `${key}.wrapped`);
    writeFileSync(file, Buffer.concat([cipher.update(master), cipher.final()]), { mode: 0o600 });
    return { file, checkValue: checkValueOf(master) };
  }
}

function componentFile(places: LinePlaces, custodian: string): string {
  return join(places.vendor, `${custodian}.key`);
}

function checkValueOf(key: Bytes): string {
  return toHex(nodeCrypto.aesEncryptBlock(key, new Uint8Array(16)).subarray(0, 3));
}

function officers(places: LinePlaces): Promise<readonly TrustedKey[]> {
  return Promise.all(
    OFFICERS.map(async (name) => ({
      name,
      role: 'officer' as const,
      publicKey: (await officerKey(places, name)).publicKey,
    })),
  );
}

function pointsIn({ steps }: CeremonyRecord): Readonly<Record<string, Bytes>> {
  return Object.fromEntries(
    steps.flatMap(({ key }) =>
      key === null || key.publicKey === null
        ? []
        : [[key.key, fromBase64(key.publicKey).subarray(-POINT_BYTES)]],
    ),
  );
}
