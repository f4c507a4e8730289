/** `holdfast pki verify`: whether a device certificate is to be trusted, by everything that is known. */
import { toHex } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { openTrustList, type TrustList } from '../../core/messages/trust-list.ts';
import { judgeChain } from '../../core/pki/chain.ts';
import { fromPem } from '../../core/pki/pem.ts';
import { documentationIdentifiers, type MakerIdentifiers } from '../../core/pki/profile.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, countOf, isSet, listOf, textOf, usage } from '../command.ts';
import { needed } from '../given.ts';
import type { Files, Means } from '../means.ts';
import { dateOf } from './given.ts';
import { trustedIn } from './place.ts';

export const pkiVerifyCommand: Command = {
  name: 'pki verify',
  summary: 'judges a device certificate: chain, scope, lists, trust list',
  operands: 'CERT',
  operandsMax: 1,
  options: {
    root: { type: 'string', value: 'FILE', multiple: true, help: 'certificate of a root, PEM' },
    intermediate: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      help: 'certificates of intermediates, PEM',
    },
    crl: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      help: 'revocation lists, PEM: of the root and the intermediate',
    },
    'no-crl': { type: 'boolean', help: 'asks for no revocation list; says so' },
    'trust-list': { type: 'string', value: 'FILE', help: 'the trust list, as the backend signed it' },
    trusted: {
      type: 'string',
      value: 'FILE',
      help: 'JSON with the backend’s key as trusted: gateway.json, for instance',
    },
    'list-number': {
      type: 'string',
      value: 'N',
      help: 'the newest trust list seen before; an older one is refused',
    },
    time: {
      type: 'string',
      value: 'now|issuance',
      help: 'when authorities must be valid (default issuance)',
    },
    at: { type: 'string', value: 'DATE', help: 'judges as of then (default now)' },
    'hardware-type': { type: 'string', value: 'OID', help: 'object identifier of the chip model' },
    'batch-extension': {
      type: 'string',
      value: 'OID',
      help: 'object identifier of batch and manufacturing time',
    },
    'scope-extension': { type: 'string', value: 'OID', help: 'object identifier of an intermediate’s scope' },
  },
  notes: ['Exit 1 and the findings when the certificate is not to be trusted.'],
  examples: [
    'holdfast pki verify unit.pem --root root.pem --intermediate line-1.pem --crl line-1.crl.pem --crl root.crl.pem',
    'holdfast pki verify unit.pem --root root.pem --intermediate line-1.pem --no-crl --trust-list list.jws --trusted gateway.json',
  ],
  run: async (given, means) => {
    const { files, crypto } = means;
    const [path] = given.operands;
    if (path === undefined) throw usage('say which certificate: CERT');
    const [device] = blocksIn('CERTIFICATE', path, files);
    if (device === undefined) throw usage(`${path} holds no certificate, PEM`);
    const crls = pems('X509 CRL', listOf(given, 'crl'), files);
    if (crls.length === 0 && !isSet(given, 'no-crl'))
      throw usage('give the lists with --crl, or say --no-crl: silence is no answer');
    const time = textOf(given, 'time') ?? 'issuance';
    if (time !== 'now' && time !== 'issuance') throw usage('--time takes now or issuance');
    const at = textOf(given, 'at');
    const trustList = trustListIn(given, means);
    const findings = judgeChain(
      {
        device,
        intermediates: pems('CERTIFICATE', listOf(given, 'intermediate'), files),
        roots: pems('CERTIFICATE', listOf(given, 'root'), files),
        crls: isSet(given, 'no-crl') ? null : crls,
        trustList,
        time,
        nowMs: at === null ? means.now() : dateOf(at),
        identifiers: identifiersIn(given),
      },
      crypto,
    );
    const said = {
      certificate: toHex(crypto.sha256(device)),
      trustList: trustList?.number ?? null,
      findings,
    };
    if (isSet(given, 'json')) means.print(JSON.stringify({ ...said, trusted: findings.length === 0 }));
    if (findings.length > 0) throw new Fault('CERTIFICATE_NOT_TRUSTED', { findings: findings.join(', ') });
    if (!isSet(given, 'json')) means.print(`trusted: ${path}`);
    return ExitCode.done;
  },
};

/** @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
function blocksIn(label: 'CERTIFICATE' | 'X509 CRL', path: string, files: Files): readonly Uint8Array[] {
  try {
    return fromPem(label, files.read(path));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Fault('CONFIG_INVALID', { file: path, why: error.message }, { cause: error });
  }
}

function pems(
  label: 'CERTIFICATE' | 'X509 CRL',
  paths: readonly string[],
  files: Files,
): readonly Uint8Array[] {
  return paths.flatMap((path) => {
    const found = blocksIn(label, path, files);
    if (found.length === 0) throw usage(`${path} holds no ${label}, PEM`);
    return found;
  });
}

/** @throws Fault TRUST_LIST_REFUSED, USAGE, CONFIG_INVALID, FILE_UNREADABLE */
function trustListIn(given: Arguments, { files, crypto }: Means): TrustList | null {
  const path = textOf(given, 'trust-list');
  if (path === null) return null;
  const trusted = trustedIn(needed(given, 'trusted', 'whose trust list counts'), files);
  return openTrustList(files.read(path).trim(), countOf(given, 'list-number', 0) ?? 0, trusted, crypto);
}

function identifiersIn(given: Arguments): MakerIdentifiers {
  return {
    hardwareType: textOf(given, 'hardware-type') ?? documentationIdentifiers.hardwareType,
    manufacturing: textOf(given, 'batch-extension') ?? documentationIdentifiers.manufacturing,
    scope: textOf(given, 'scope-extension') ?? documentationIdentifiers.scope ?? null,
  };
}
