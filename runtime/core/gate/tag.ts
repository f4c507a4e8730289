/** Codes under the key that a gate controller shares with the backend alone. AES-CMAC, AES-128. */
import { type Bytes, equal, fromHex, toHex } from '../bytes.ts';
import { cmac } from '../crypto/cmac.ts';
import type { Crypto } from '../ports.ts';
import { type ControllerReport, type Release, releaseBytes, reportBytes } from './release.ts';

/** A release that a gate controller can verify. */
export type TaggedRelease = Release & { readonly tag: string };

export function tagRelease(release: Omit<Release, 'tag'>, key: Bytes, crypto: Crypto): TaggedRelease {
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

function same(a: string | null, b: string): boolean {
  return a !== null && /^[0-9a-f]{32}$/.test(a) && equal(fromHex(a), fromHex(b));
}
