/** Our own validator and OpenSSL agree on every chain; where ours finds more, the case says what. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { type Bytes, toHex } from '../../runtime/core/bytes.ts';
import { type ChainQuestion, type Finding, judgeChain, ownFindings } from '../../runtime/core/pki/chain.ts';
import { fromPem } from '../../runtime/core/pki/pem.ts';
import { documentationIdentifiers, profileNames } from '../../runtime/core/pki/profile.ts';
import {
  caKey,
  DAY_MS,
  EID,
  makeAuthority,
  makeCrl,
  makeDevice,
  NOW_MS,
  type TestAuthority,
} from './hierarchy.ts';
import { openOpenssl } from './openssl.ts';

const openssl = openOpenssl();
after(() => openssl.close());

const root = makeAuthority('Fleet root', null);
const line = makeAuthority('Line 1', root);
const other = makeAuthority('Line 2', root);
const long = makeAuthority('Fleet root 384', null, { algorithm: 'es384' });
const longLine = makeAuthority('Line 384', long, { algorithm: 'es384' });
const scoped = (scope: { product?: string; batch?: string; region?: string }): TestAuthority =>
  makeAuthority(`Scoped ${JSON.stringify(scope)}`.slice(0, 60), root, {
    scope: { product: null, batch: null, region: null, ...scope },
  });

interface Case {
  readonly device: Bytes;
  readonly under: readonly TestAuthority[];
  readonly root?: TestAuthority;
  /** Null: revocation is not asked about. Absent: an empty list of each authority. */
  readonly crls?: readonly Bytes[] | null;
  readonly more?: Partial<ChainQuestion>;
  readonly finds: readonly Finding[];
}

const good = makeDevice(line);
const emptyLists = (...of: readonly TestAuthority[]): readonly Bytes[] => of.map((one) => makeCrl(one, []));
const spoilt = (bytes: Bytes, needle: Bytes): Bytes => {
  const at = Buffer.from(bytes).indexOf(needle);
  assert.ok(at > 0);
  return bytes.map((byte, i) => (i === at + needle.length - 1 ? byte ^ 1 : byte));
};
const deep = makeAuthority('Deep', line);
const expired = makeAuthority('Expired', root, { notAfterMs: NOW_MS - 3_600_000 });
const unborn = makeAuthority('Unborn', root, { notBeforeMs: NOW_MS + DAY_MS });
const forged = makeAuthority('Forged', root, { signedBy: caKey('nobody') });
const meterLine = scoped({ product: 'meter', batch: 'BATCH-7', region: 'EU' });
const pumpLine = scoped({ product: 'pump' });
const listed = { name: 'line-1', reason: 'cACompromise', revokedAt: '2026-11-22T12:00:00.000Z' } as const;
const trustList = {
  number: 3,
  issuedAt: '2026-11-22T12:00:00.000Z',
  intermediates: [{ ...listed, keyIdentifier: toHex(line.parsed.keyIdentifier ?? new Uint8Array(0)) }],
  stations: [],
};

const cases: Readonly<Record<string, Case>> = {
  'a good unit': { device: good.certificate, under: [line], finds: [] },
  'a good unit, nobody asks for lists': { device: good.certificate, under: [line], crls: null, finds: [] },
  'a unit under P-384 authorities': {
    device: makeDevice(longLine).certificate,
    under: [longLine],
    root: long,
    finds: [],
  },
  'a unit under a P-384 root and a P-256 intermediate': {
    device: makeDevice(makeAuthority('Line mixed', long)).certificate,
    under: [makeAuthority('Line mixed', long)],
    root: long,
    finds: [],
  },
  'a revoked unit': {
    device: good.certificate,
    under: [line],
    crls: [makeCrl(line, [good.serial]), makeCrl(root, [])],
    finds: ['revoked'],
  },
  'a unit beside a revoked one': {
    device: good.certificate,
    under: [line],
    crls: [makeCrl(line, [makeDevice(line).serial]), makeCrl(root, [])],
    finds: [],
  },
  'a unit of a revoked intermediate': {
    device: good.certificate,
    under: [line],
    crls: [makeCrl(line, []), makeCrl(root, [line.parsed.serial])],
    finds: ['issuer-revoked'],
  },
  'a unit of its revoked intermediate’s sibling': {
    device: makeDevice(other).certificate,
    under: [other],
    crls: [makeCrl(other, []), makeCrl(root, [line.parsed.serial])],
    finds: [],
  },
  'an intermediate on the trust list, before the root has woken': {
    device: good.certificate,
    under: [line],
    more: { trustList },
    finds: ['issuer-on-the-trust-list'],
  },
  'no list of the intermediate': {
    device: good.certificate,
    under: [line],
    crls: emptyLists(root),
    finds: ['crl-missing'],
  },
  'no list of the root': {
    device: good.certificate,
    under: [line],
    crls: emptyLists(line),
    finds: ['crl-missing'],
  },
  'a list that has run out': {
    device: good.certificate,
    under: [line],
    crls: [makeCrl(line, [], { nextUpdateMs: NOW_MS - 60_000 }), makeCrl(root, [])],
    finds: ['crl-out-of-time'],
  },
  'a list with another’s signature': {
    device: good.certificate,
    under: [line],
    crls: [makeCrl(line, [], { signedBy: caKey('nobody') }), makeCrl(root, [])],
    finds: ['crl-signature-wrong'],
  },
  'a list older than one seen before': {
    device: good.certificate,
    under: [line],
    more: { crlNumbers: { [toHex(line.parsed.keyIdentifier ?? new Uint8Array(0))]: 2 } },
    finds: ['crl-rolled-back'],
  },
  'an intermediate that has run out': {
    device: makeDevice(expired).certificate,
    under: [expired],
    finds: ['expired'],
  },
  'an intermediate that is not valid yet': {
    device: makeDevice(unborn).certificate,
    under: [unborn],
    finds: ['not-yet-valid'],
  },
  'a unit whose certificate begins tomorrow': {
    device: makeDevice(line, 'idevid-batch', { notBeforeMs: NOW_MS + DAY_MS }).certificate,
    under: [line],
    finds: ['not-yet-valid'],
  },
  'the right name and the wrong key': {
    device: makeDevice(line, 'idevid-batch', {}, caKey('nobody')).certificate,
    under: [line],
    finds: ['signature-wrong'],
  },
  'an intermediate that the root never signed': {
    device: makeDevice(forged).certificate,
    under: [forged],
    finds: ['signature-wrong'],
  },
  'an altered otherName': {
    device: spoilt(good.certificate, Buffer.from(EID, 'hex')),
    under: [line],
    finds: ['signature-wrong', 'eid-encodings-differ'],
  },
  'an altered subject': {
    device: spoilt(good.certificate, Buffer.from(EID.slice(0, 31))),
    under: [line],
    finds: ['signature-wrong', 'eid-encodings-differ'],
  },
  'a CA below an intermediate': {
    device: makeDevice(deep).certificate,
    under: [deep, line],
    crls: emptyLists(deep, line, root),
    finds: ['not-three-levels', 'path-too-long'],
  },
  'a unit as the issuer of a unit': {
    device: makeDevice({ ...line, parsed: { ...line.parsed, subjectName: nameOf(good.certificate) } })
      .certificate,
    under: [line],
    finds: ['no-issuer'],
  },
  'no intermediate at all': {
    device: good.certificate,
    under: [],
    crls: emptyLists(line, root),
    finds: ['no-issuer'],
  },
  'another root': { device: good.certificate, under: [line], root: long, finds: ['no-issuer'] },
  'a unit within the scope of its intermediate': {
    device: makeDevice(meterLine).certificate,
    under: [meterLine],
    finds: [],
  },
  'a unit of another product than its intermediate’s': {
    device: makeDevice(pumpLine).certificate,
    under: [pumpLine],
    finds: ['outside-the-issuers-scope'],
  },
  'a unit that does not say what the scope asks': {
    device: makeDevice(meterLine, 'idevid').certificate,
    under: [meterLine],
    finds: ['outside-the-issuers-scope'],
  },
};

function nameOf(certificate: Bytes): Bytes {
  const text = toHex(certificate);
  // The subject: SEQUENCE, SET, SEQUENCE, serialNumber, PrintableString of 32 digits.
  const at = text.indexOf('302b3129302706035504051320');
  return Buffer.from(text.slice(at, at + 2 * 45), 'hex');
}

function questionOf({ device, under, root: top = root, crls, more }: Case): ChainQuestion {
  return {
    device,
    intermediates: under.map((one) => one.certificate),
    roots: [top.certificate],
    crls: crls === undefined ? emptyLists(...under, top) : crls,
    trustList: null,
    time: 'now',
    nowMs: NOW_MS,
    identifiers: documentationIdentifiers,
    ...more,
  };
}

describe('a chain, judged by us and by OpenSSL', () => {
  for (const [name, one] of Object.entries(cases))
    it(`${name}: ${one.finds.join(', ') || 'trusted'}`, async () => {
      const question = questionOf(one);
      const found = judgeChain(question, nodeCrypto);
      assert.deepEqual([...found].sort(), [...one.finds].sort());
      const standard = found.filter((finding) => !ownFindings.has(finding));
      const said = await openssl.verdict(question);
      assert.equal(said === 'OK', standard.length === 0, said);
    });

  for (const profile of profileNames)
    it(`profile ${profile} is trusted`, async () => {
      const question = questionOf({
        device: makeDevice(line, profile).certificate,
        under: [line],
        finds: [],
      });
      assert.deepEqual(judgeChain(question, nodeCrypto), []);
      assert.equal(await openssl.verdict(question), 'OK');
    });

  it('a device lives on under an intermediate that has run out since, where time is judged at issuance', () => {
    const question = questionOf({
      device: makeDevice(expired, 'idevid-batch', { notBeforeMs: NOW_MS - 30 * DAY_MS }).certificate,
      under: [expired],
      finds: [],
    });
    assert.deepEqual(judgeChain({ ...question, time: 'issuance' }, nodeCrypto), []);
    assert.deepEqual(judgeChain(question, nodeCrypto), ['expired']);
  });
});

describe('vectors: chains made elsewhere', () => {
  const { vectors } = JSON.parse(readFileSync('test/vectors/vectors.json', 'utf8')) as {
    vectors: { id: string; kind: string; inputs: VectorInputs; expected: { valid: boolean } }[];
  };
  for (const { id, inputs, expected } of vectors.filter(({ kind }) => kind === 'x509-idevid-chain'))
    it(`${id}: ${expected.valid ? 'trusted' : 'not trusted'}`, async () => {
      const lists = [inputs.crls ?? []].flat();
      const question: ChainQuestion = {
        device: new X509Certificate(inputs.leaf).raw,
        intermediates: inputs.intermediates.map((pem) => new X509Certificate(pem).raw),
        roots: [new X509Certificate(inputs.root).raw],
        crls: lists.length === 0 ? null : lists.flatMap((pem) => fromPem('X509 CRL', pem)),
        trustList: null,
        time: 'now',
        nowMs: Date.parse(inputs.attime ?? new X509Certificate(inputs.leaf).validFrom) + DAY_MS,
        identifiers: documentationIdentifiers,
      };
      const standard = judgeChain(question, nodeCrypto).filter((finding) => !ownFindings.has(finding));
      assert.equal(standard.length === 0, expected.valid, standard.join());
      assert.equal((await openssl.verdict(question)) === 'OK', expected.valid);
    });
});

interface VectorInputs {
  readonly leaf: string;
  readonly intermediates: readonly string[];
  readonly root: string;
  readonly crls?: string | readonly string[];
  readonly attime?: string;
}
