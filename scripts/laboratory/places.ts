/** Where everything of a laboratory line lies: one directory, each party with its own part of it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface StationPlaces {
  readonly name: string;
  readonly directory: string;
  readonly config: string;
  readonly journal: string;
  readonly ticket: string;
  readonly certificate: string;
  /** Board, chips and pty of this station: the far side of the fixture, which no program of ours may read. */
  readonly fixture: string;
  readonly tagKey: string;
  readonly gateLog: string;
  readonly chips: string;
}

export interface LinePlaces {
  readonly root: string;
  readonly state: string;
  readonly pki: string;
  /** The root: in a factory on a machine of its own. */
  readonly offlineRoot: string;
  /** Where revocation lists are published. */
  readonly crl: string;
  readonly broker: string;
  readonly postgres: string;
  readonly pcscd: string;
  readonly gateway: string;
  readonly backend: string;
  readonly vendor: string;
  readonly logs: string;
  station(index: number): StationPlaces;
}

/** Makes the directories; only their owner may enter. */
export function linePlaces(root: string): LinePlaces {
  const inRoot = (...parts: readonly string[]): string => {
    const path = join(root, ...parts);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  };
  inRoot('.');
  return {
    root,
    state: join(root, 'line.json'),
    pki: inRoot('pki'),
    offlineRoot: inRoot('offline-root'),
    crl: inRoot('crl'),
    broker: inRoot('broker'),
    postgres: inRoot('postgres'),
    pcscd: inRoot('pcscd'),
    gateway: inRoot('gateway-1'),
    backend: inRoot('backend'),
    vendor: inRoot('vendor'),
    logs: inRoot('logs'),
    station: (index) => {
      const name = `station-${index}`;
      const directory = inRoot(name);
      const fixture = inRoot('fixtures', name);
      return {
        name,
        directory,
        config: join(directory, 'station.json'),
        journal: join(directory, 'journal'),
        ticket: join(directory, 'ticket.jws'),
        certificate: join(directory, 'bus.pem'),
        fixture,
        tagKey: join(fixture, 'tag.key'),
        gateLog: join(fixture, 'gate.log'),
        chips: inRoot('fixtures', name, 'chips'),
      };
    },
  };
}
