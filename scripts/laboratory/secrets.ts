/** What nobody outside its own place may hold on a laboratory line, and the files in which it is looked for. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64, fromHex } from '../../runtime/core/bytes.ts';
import { OFFICERS } from './root.ts';
import type { Place, Secret } from './secret-scan.ts';

/** Keys of chips, masters, tags, and PINs: what a station must never hold, its own PIN file apart.
 * @param root directory of the line */
export function secretsOf(root: string, stations: readonly string[]): readonly Secret[] {
  const text = (...parts: readonly string[]): string => readFileSync(join(root, ...parts), 'utf8').trim();
  const hexFile = (...parts: readonly string[]): Secret => ({
    name: parts.join('/'),
    bytes: fromHex(text(...parts)),
  });
  const pin = (...parts: readonly string[]): Secret => ({
    name: parts.join('/'),
    bytes: Buffer.from(text(...parts)),
  });
  const pem = (...parts: readonly string[]): Secret => ({
    name: parts.join('/'),
    // The private scalar inside PKCS#8.
    bytes: fromBase64(text(...parts).replace(/-----[A-Z ]+-----|\s/g, '')).subarray(36, 68),
  });
  const chips = stations.flatMap((station) =>
    readdirSync(join(root, 'fixtures', station, 'chips')).flatMap((file) => {
      const chip = JSON.parse(text('fixtures', station, 'chips', file)) as {
        keySets: { enc: string; mac: string; dek: string }[];
        pairs: Record<string, string>;
      };
      const keys = [
        ...chip.keySets.flatMap((set) => [set.enc, set.mac, set.dek]),
        ...Object.values(chip.pairs),
      ];
      return keys.map((key) => ({ name: `a key of ${file}`, bytes: fromHex(key) }));
    }),
  );
  return [
    ...chips,
    hexFile('vendor', 'transport-master'),
    ...['custodian-1.key', 'custodian-2.key'].map((name) => hexFile('vendor', name)),
    ...stations.map((station) => hexFile('fixtures', station, 'tag.key')),
    pem('backend', 'receipts.key'),
    pem('offline-root', 'root.key'),
    pem('pki', 'ticket-authority.key'),
    ...OFFICERS.map((name) => pem('pki', `${name}.key`)),
    ...['gateway-1', stations[0] ?? ''].flatMap((owner) =>
      ['pin', 'so-pin'].map((name) => pin(owner, 'token', name)),
    ),
  ];
}

/** Every file below, but the token with its PIN files: there the station's own keys belong. */
export function filesIn(path: string): readonly Place[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/(^|\/)token(\/|$)/.test(name))
    .map((name) => join(path, name))
    .filter((name) => statSync(name).isFile())
    .map((name) => ({ name, bytes: readFileSync(name) }));
}
