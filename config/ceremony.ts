/** Files that a ceremony is told things by: where a token is, and whose approvals count. */
import { z } from 'zod';
import { file, trustedKeys } from './parts.ts';

export const ceremonyTokenFile = z.strictObject({
  module: file.meta({ description: 'PKCS#11 module of the HSM.' }),
  pinFile: file.meta({ description: 'File with the PIN, mode 0600.' }),
  softHsmConf: file
    .nullable()
    .default(null)
    .meta({ description: 'Configuration of SoftHSM; null for other modules.' }),
});
export type CeremonyTokenFile = z.output<typeof ceremonyTokenFile>;

export const officerTokenFile = ceremonyTokenFile.extend({
  label: z.string().meta({ description: 'Label of the officer’s own token.' }),
  key: z.string().meta({ description: 'Label of the officer’s P-256 key.' }),
});
export type OfficerTokenFile = z.output<typeof officerTokenFile>;

/** Any configuration with trusted keys will do: backend.json, or a file of its own. */
export const officersFile = z.looseObject({
  trusted: trustedKeys.meta({
    description: 'Keys of officers, role `officer`; other roles may stand beside them.',
  }),
});
