/**
 * Certificates a second of one gateway: intents of many requests in one transaction on PostgreSQL, linted, signed in
 * the token's process, verified and stored; against the bare signatures of that token. And revocation lists by size.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { openCheckedCertificates } from '../../drivers/certificates/checked.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openKernelEntropy } from '../../drivers/entropy/kernel.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { openMarkFile } from '../../drivers/store/mark-file.ts';
import { openPostgresLedger } from '../../drivers/store/postgres/ledger.ts';
import { createGatewayToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token } from '../../drivers/token/pkcs11/token.ts';
import { type Bytes, toHex } from '../../runtime/core/bytes.ts';
import { Fault } from '../../runtime/core/faults.ts';
import { instantOf } from '../../runtime/core/instant.ts';
import { keyIdentifierOf } from '../../runtime/core/pki/algorithm.ts';
import { authorityToBeSigned, issuerFrom, parseAuthority } from '../../runtime/core/pki/authority.ts';
import { assembleCertificate } from '../../runtime/core/pki/certificate.ts';
import { assembleCrl, crlToBeSigned } from '../../runtime/core/pki/crl.ts';
import { lintTbs } from '../../runtime/core/pki/lint.ts';
import {
  type CertificateIntent,
  documentationIdentifiers,
  serialFrom,
} from '../../runtime/core/pki/profile.ts';
import { assembleRequest, requestInfo } from '../../runtime/core/pki/request.ts';
import { FAR_DATE_MS } from '../../runtime/core/pki/time.ts';
import type { Token } from '../../runtime/core/token.ts';
import { createIssuance } from '../../runtime/gateway/issuance.ts';
import type { ReadyIssuer } from '../../runtime/gateway/issuers.ts';
import type { GatewayPorts } from '../../runtime/gateway/ports.ts';
import { wholeLedger } from '../../runtime/gateway/whole-ledger.ts';
import type { BenchRow } from '../bench.ts';
import { startPostgres } from '../stand/postgres.ts';

const CERTIFICATES = 4_000;
const SIGNATURES = 3_000;
/** Requests under way at a time, as hundreds of nests make them. */
const TOGETHER = 256;
const LISTS = [1_000, 10_000, 100_000] as const;
const KEY = 'issuer-bench';

interface Prepared {
  readonly eid: string;
  readonly publicKey: Bytes;
  /** Signed by the chip; its time is the chip's. */
  readonly request: Bytes;
}

export async function benchCertificates(directory: string): Promise<readonly BenchRow[]> {
  const place = join(directory, 'pki');
  mkdirSync(place, { recursive: true });
  const made = await createGatewayToken({
    directory: join(place, 'token'),
    label: 'bench-pki',
    masters: { 'mdk-1': 'generated' },
    keyVersions: { 'mdk-1': [0x31] },
    signingKeys: ['envelope', 'confirmation', KEY],
  });
  await using token = await openPkcs11Token({ ...made, laboratory: true });
  const issuer = await issuerIn(token);
  const stand = await startPostgres({ directory: place, databases: ['ledger'] });
  try {
    const host = encodeURIComponent(stand.socketDirectory);
    const url = `postgresql:///ledger?host=${host}&user=${stand.user}`;
    const limits = { statementTimeoutMs: 5_000, connectTimeoutMs: 5_000, poolMax: 8 };
    await using ledger = await openPostgresLedger({ url, ...limits });
    const ports = {
      token,
      // With the mark that a gateway keeps of its ledger, as on a line.
      ledger: wholeLedger(ledger, await openMarkFile(join(place, 'ledger-mark'))),
      crypto: nodeCrypto,
      clock: openSystemClock(),
      entropy: openKernelEntropy(),
    };
    const gateway = { ...ports, trusted: [], log: createMemoryLog() } as unknown as GatewayPorts;
    const { rate, cpuMs } = await issueAll(gateway, issuer);
    const [alone, together] = [await signatures(token, 1), await signatures(token, TOGETHER)];
    return [
      {
        what: 'certificates: linted, intent stored, signed, stored',
        value: rate,
        unit: '/s',
        beside: {
          what: `signatures of the token, ${TOGETHER} at a time`,
          value: together,
          ratio: rate / together,
        },
      },
      { what: 'time of the gateway’s own processor for each', value: cpuMs, unit: 'ms' },
      { what: 'signatures of the token, one at a time', value: alone, unit: '/s' },
      ...(await lists(token, issuer)),
    ];
  } finally {
    await stand.stop();
  }
}

async function issuerIn(token: Token): Promise<ReadyIssuer> {
  const publicKey = await token.publicKey(KEY);
  const tbs = authorityToBeSigned(
    {
      serial: serialFrom(randomBytes(16)),
      commonName: 'Bench line',
      issuer: null,
      publicKey,
      keyIdentifier: keyIdentifierOf(publicKey, nodeCrypto),
      notBeforeMs: 0,
      notAfterMs: FAR_DATE_MS,
      pathLength: 0,
      scope: null,
      distributionPoint: null,
      identifiers: documentationIdentifiers,
    },
    'es256',
  );
  const certificate = assembleCertificate(tbs, await token.sign(KEY, tbs));
  const authority = parseAuthority(certificate, documentationIdentifiers);
  const naming = issuerFrom(authority);
  return { name: 'bench', key: KEY, certificate, profile: 'idevid-batch', authority, naming };
}

/** The time of the processor tells what a machine with other work to do cannot: what a certificate costs. */
async function issueAll(
  ports: GatewayPorts,
  issuer: ReadyIssuer,
): Promise<{ readonly rate: number; readonly cpuMs: number }> {
  const certificates = await openCheckedCertificates();
  const issuance = createIssuance(ports);
  const prepared = Array.from({ length: CERTIFICATES }, (_, i) => prepare(i));
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  await inTurns(prepared, async (unit) => {
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    const intent: CertificateIntent = {
      profile: 'idevid-batch',
      issuer: issuer.naming,
      serial: serialFrom(ports.entropy.bytes(16)),
      eid: unit.eid,
      publicKey: unit.publicKey,
      notBeforeMs: nowMs,
      notAfterMs: FAR_DATE_MS,
      identifiers: documentationIdentifiers,
      manufacturing: { batch: 'BENCH-1', manufacturedAtMs: nowMs },
    };
    const toBeSigned = await certificates.toBeSigned(intent);
    const violations = lintTbs(toBeSigned, intent, {
      crypto: nodeCrypto,
      eid: unit.eid,
      chipPublicKey: unit.publicKey,
      request: unit.request,
      issuer: issuer.naming,
      issuerRevoked: false,
      keyKnown: false,
      serialKnown: false,
    });
    if (violations.length > 0) throw new Fault('CERTIFICATE_REFUSED', { violations: violations.join() });
    const row = await issuance.intend(
      {
        serial: toHex(intent.serial),
        eid: unit.eid,
        publicKey: unit.publicKey,
        issuer: issuer.name,
        profile: intent.profile,
        ...{ operation: 'bench', batch: 'BENCH', station: 'bench' },
        notBefore: instantOf(nowMs),
        toBeSigned,
        certificate: null,
      },
      issuer,
    );
    await issuance.sign(row, issuer, intent);
  });
  const rate = (CERTIFICATES * 1000) / (performance.now() - begun);
  const { user, system } = process.cpuUsage(cpuBefore);
  return { rate, cpuMs: (user + system) / 1000 / CERTIFICATES };
}

function prepare(index: number): Prepared {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-65));
  const eid = eidOfIndex(index + 1);
  const info = requestInfo(eid, point);
  return { eid, publicKey: point, request: assembleRequest(info, sign('sha256', info, privateKey)) };
}

async function signatures(token: Token, together: number): Promise<number> {
  const message = randomBytes(400);
  const begun = performance.now();
  await inTurns(Array.from({ length: SIGNATURES }), () => token.sign(KEY, message), together);
  return (SIGNATURES * 1000) / (performance.now() - begun);
}

async function lists(token: Token, { naming }: ReadyIssuer): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const count of LISTS) {
    const entries = Array.from({ length: count }, (_, i) => ({
      serial: serialFrom(createHash('sha256').update(String(i)).digest().subarray(0, 16)),
      revokedAtMs: 1_795_000_000_000,
      reason: 'keyCompromise' as const,
    }));
    const begun = performance.now();
    const times = { thisUpdateMs: 1_795_000_000_000, nextUpdateMs: 1_797_000_000_000 };
    const tbs = crlToBeSigned({ issuer: naming, number: 1, ...times, entries });
    const crl = assembleCrl(tbs, await token.sign(KEY, tbs));
    const ms = performance.now() - begun;
    const perEntry = (ms * 1000) / count;
    rows.push({
      what: `revocation list of ${count}, built and signed`,
      value: ms,
      unit: 'ms',
      beside: { what: 'microseconds an entry', value: perEntry, ratio: crl.length / count },
    });
  }
  return rows;
}

/** As many at a time as `together`; each one that ends lets the next begin. */
async function inTurns<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
  together = TOGETHER,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++] as Item);
  };
  await Promise.all(Array.from({ length: together }, worker));
}
