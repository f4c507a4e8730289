/** Codes under the key that a gate controller shares with the backend alone. AES-CMAC, AES-128. */
import { type Bytes, equal, fromHex, toHex } from '../bytes.ts';
import { cmac } from '../crypto/cmac.ts';
import type { Crypto } from '../ports.ts';
import { type ControllerReport, type Release, releaseBytes, reportBytes } from './release.ts';

export function tagRelease(release: Omit<Release, 'tag'>, key: Bytes, crypto: Crypto): Release {
  return { ...release, tag: codeOver(releaseBytes(release), key, crypto) };
}

export function isReleaseGenuine(release: Release, key: Bytes, crypto: Crypto): boolean {
  return same(release.tag, codeOver(releaseBytes(release), key, crypto));
}

export function signReport(
  report: Omit<ControllerReport, 'mac'>,
  key: Bytes,
  crypto: Crypto,
): ControllerReport {
  return { ...report, mac: codeOver(reportBytes(report), key, crypto) };
}

export function isReportGenuine(report: ControllerReport, key: Bytes, crypto: Crypto): boolean {
  return same(report.mac, codeOver(reportBytes(report), key, crypto));
}

function codeOver(bytes: Bytes, key: Bytes, crypto: Crypto): string {
  return toHex(cmac((block) => crypto.aesEncryptBlock(key, block), bytes));
}

function same(a: string, b: string): boolean {
  return /^[0-9a-f]{32}$/.test(a) && equal(fromHex(a), fromHex(b));
}
