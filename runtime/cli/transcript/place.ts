/** Where transcripts, the keys that verify them and the gateway's token are found: in the directory of a line. */
import { type GatewayConfig, gatewayConfig } from '../../../config/gateway.ts';
import { trustedKeys } from '../../../config/parts.ts';
import { fromBase64, fromHex } from '../../core/bytes.ts';
import { Fault, isFault } from '../../core/faults.ts';
import type { TrustedKey } from '../../core/messages/envelope.ts';
import { readPublicKey } from '../../core/pki/certificate.ts';
import { members, read, Tag } from '../../core/pki/der.ts';
import { type Arguments, type Option, textOf, usage } from '../command.ts';
import { DEFAULT_LINE } from '../fleet/place.ts';
import type { Files, LedgerReader, Means } from '../means.ts';
import type { IssuerKey, Trust } from './checks.ts';

export const lineOption = {
  dir: {
    type: 'string',
    value: 'LINE',
    help: `directory of a line; its gateway.json names the ledger (default ${DEFAULT_LINE})`,
  },
  ledger: {
    type: 'string',
    value: 'URL',
    help: 'PostgreSQL URL of the gateway’s ledger, in place of the one in gateway.json',
  },
} as const satisfies Readonly<Record<string, Option>>;

/** Longest certificate file. */
const CERTIFICATE_CHARACTERS_MAX = 65_536;

export function lineOf(given: Arguments): string {
  return textOf(given, 'dir') ?? DEFAULT_LINE;
}

/** The gateway's own configuration. @throws Fault USAGE, CONFIG_INVALID, FILE_UNREADABLE */
export function gatewayIn(line: string, { files }: Means): GatewayConfig {
  const [file] = filesIn(line, 'gateway.json', files);
  if (file === undefined) throw usage(`there is no gateway.json in ${line}; say where with --dir`);
  const found = gatewayConfig.safeParse(jsonIn(file, files));
  if (!found.success)
    throw new Fault('CONFIG_INVALID', { file, why: found.error.issues[0]?.path.join('.') ?? 'form' });
  return found.data;
}

/** @throws Fault USAGE, CONFIG_INVALID, FILE_UNREADABLE, LEDGER_UNAVAILABLE, STORE_UNSAFE, STORE_SCHEMA; none of
 * them shows the URL: it may hold a password */
export async function openLedgerOf(given: Arguments, means: Means): Promise<LedgerReader> {
  const typed = textOf(given, 'ledger');
  if (typed !== null && !/^postgres(?:ql)?:\/\//.test(typed))
    throw usage('the ledger is named by a URL that begins with postgresql://');
  if (typed !== null) return means.openLedger(typed);
  const line = lineOf(given);
  try {
    return await means.openLedger(gatewayIn(line, means).ledgerUrl);
  } catch (error) {
    if (!isFault(error) || error.code !== 'LEDGER_UNAVAILABLE') throw error;
    const hint = `a laboratory's database runs with its line; ./scripts/inspect --dir ${line} starts it`;
    throw new Fault('LEDGER_UNAVAILABLE', { ...error.context, hint }, { cause: error });
  }
}

/** Never from the transcript or the ledger: those are what is judged. @throws Fault USAGE, CONFIG_INVALID, FILE_UNREADABLE */
export function trustOf(given: Arguments, means: Means): Trust {
  return { gateways: gatewayKeys(given, means), issuers: issuerKeys(given, means) };
}

/** As the stations of the line trust them, which must agree; or the one that was typed. */
function gatewayKeys(given: Arguments, { files }: Means): readonly TrustedKey[] {
  const typed = textOf(given, 'gateway-key');
  if (typed !== null) {
    if (!/^04[0-9a-f]{128}$/i.test(typed))
      throw usage('--gateway-key takes a P-256 point: 04 and 128 hexadecimal digits');
    return [{ name: 'the gateway of --gateway-key', role: 'gateway', publicKey: fromHex(typed) }];
  }
  const line = lineOf(given);
  const [first, ...others] = filesIn(line, 'station.json', files).map((file) => gatewaysIn(file, files));
  if (first === undefined)
    throw usage(
      'say whose signature counts: --gateway-key HEX, or --dir LINE with the station.json of a station',
    );
  if (others.some((keys) => JSON.stringify(keys) !== JSON.stringify(first)))
    throw new Fault('CONFIG_INVALID', { line, why: 'the stations of this line trust different gateways' });
  return first.map(({ publicKey, ...key }) => ({ ...key, publicKey: fromHex(publicKey) }));
}

function gatewaysIn(file: string, files: Files) {
  const { trusted } = jsonIn(file, files) as { trusted?: unknown };
  const keys = trustedKeys.safeParse(trusted);
  if (!keys.success) throw new Fault('CONFIG_INVALID', { file, why: 'trusted is missing or malformed' });
  return keys.data.filter(({ role }) => role === 'gateway');
}

/** Certificates of the intermediates: those of the gateway's configuration, or the one that was typed. */
function issuerKeys(given: Arguments, means: Means): readonly IssuerKey[] {
  const typed = textOf(given, 'issuer');
  if (typed !== null) {
    const [name, file] = typed.split('=', 2);
    if (!name || !file)
      throw usage('--issuer takes NAME=FILE: an intermediate as tickets name it, and its PEM');
    return [{ name, publicKey: publicKeyIn(file, means.files) }];
  }
  const line = lineOf(given);
  if (filesIn(line, 'gateway.json', means.files).length === 0)
    throw usage(
      'say who issued the certificate: --issuer NAME=FILE, or --dir LINE with the gateway.json of its gateway',
    );
  const { issuers } = gatewayIn(line, means);
  return issuers.map(({ name, certificate }) => ({ name, publicKey: publicKeyIn(certificate, means.files) }));
}

/** @throws Fault CONFIG_INVALID */
function publicKeyIn(file: string, files: Files): Uint8Array {
  const pem = files.read(file);
  try {
    if (pem.length > CERTIFICATE_CHARACTERS_MAX) throw new RangeError('too long');
    const der = fromBase64(pem.replace(/-----[A-Z ]+-----|\s/g, ''));
    const [tbs] = members(read(der), Tag.sequence);
    const spki = members(tbs, Tag.sequence)[6];
    if (spki === undefined) throw new RangeError('no public key');
    return readPublicKey(spki.whole);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Fault(
      'CONFIG_INVALID',
      { file, why: `not a P-256 certificate: ${error.message}` },
      { cause: error },
    );
  }
}

/** In the directory itself, or in those below it. */
function filesIn(directory: string, name: string, files: Files): readonly string[] {
  return [directory, ...files.names(directory).map((one) => `${directory}/${one}`)]
    .map((one) => `${one}/${name}`)
    .filter((file) => files.exists(file));
}

/** @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
function jsonIn(file: string, files: Files): object {
  try {
    const value: unknown = JSON.parse(files.read(file));
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Fault('CONFIG_INVALID', { file, why: 'not JSON' });
}
