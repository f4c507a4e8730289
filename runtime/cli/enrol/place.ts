/** Where the commands of enrolment find station, authority and register. */
import { loadConfig } from '../../../config/load.ts';
import { type StationConfig, stationConfig, tlsKeyLabelOf } from '../../../config/station.ts';
import { Fault } from '../../core/faults.ts';
import { type RegisterEntry, readRegister } from '../../core/messages/enrolment-register.ts';
import type { Arguments, Option } from '../command.ts';
import { needed } from '../given.ts';
import type { Means } from '../means.ts';
import type { AuthorityPlace, KeyPlace } from './means.ts';

export const stationOptions = {
  config: { type: 'string', value: 'FILE', help: 'station.json of this station' },
} as const satisfies Readonly<Record<string, Option>>;

export const authorityOptions = {
  ca: { type: 'string', value: 'FILE', help: 'certificate of the bus authority, PEM' },
  'ca-key': { type: 'string', value: 'FILE', help: 'its key, PEM, mode 0600' },
  register: { type: 'string', value: 'FILE', help: 'its register of codes, certificates and revocations' },
} as const satisfies Readonly<Record<string, Option>>;

/** @throws Fault USAGE, CONFIG_INVALID, FILE_UNREADABLE */
export function stationIn(given: Arguments): StationConfig {
  return loadConfig(needed(given, 'config', 'station.json of this station'), stationConfig);
}

/** @throws Fault CONFIG_INVALID when the key for the broker is not in the token */
export function keysOf(config: StationConfig): KeyPlace {
  const tlsKey = tlsKeyLabelOf(config);
  if (tlsKey === null)
    throw new Fault('CONFIG_INVALID', { setting: 'bus.key', why: 'no object of a token: pkcs11:…;object=…' });
  const { module, label, pinFile, envelopeKey } = config.token;
  return { module, label, pinFile, envelopeKey, tlsKey };
}

/** @throws Fault USAGE */
export function authorityIn(given: Arguments): AuthorityPlace {
  return {
    certificate: needed(given, 'ca', 'the certificate of the bus authority'),
    key: needed(given, 'ca-key', 'the key of the bus authority'),
  };
}

export interface OpenRegister {
  readonly entries: readonly RegisterEntry[];
  /** Past fsync when it returns. */
  note(entry: RegisterEntry): void;
}

/** @throws Fault USAGE, FILE_UNREADABLE, CONFIG_INVALID */
export function registerIn(given: Arguments, means: Means): OpenRegister {
  const file = needed(given, 'register', 'the register of the bus authority; made by its first use');
  const entries = means.files.exists(file) ? readRegister(means.files.read(file), file) : [];
  return { entries, note: (entry) => means.enrolment.appendLine(file, JSON.stringify(entry)) };
}
