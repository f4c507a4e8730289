/** Everything a gateway can be told. */
import { z } from 'zod';
import { transportClasses, transportSchemes } from '../runtime/core/card/import-schemes.ts';
import { kdfs } from '../runtime/core/key-policy.ts';
import { quorumForm } from '../runtime/core/messages/approval.ts';
import { profileNames } from '../runtime/core/pki/profile.ts';
import { busConfig, file, milliseconds, partyName, trustedKeys } from './parts.ts';

const oid = z.string().regex(/^[0-2](\.\d+)+$/, 'an object identifier');

export const gatewayConfig = z.strictObject({
  gateway: partyName.meta({ description: 'Name of this instance: the CN of its certificate.' }),
  profile: z
    .enum(['production', 'pilot', 'laboratory'])
    .default('production')
    .meta({ description: 'Only pilot and laboratory accept a software token, and every record says so.' }),
  bus: busConfig,
  token: z.strictObject({
    module: file.meta({ description: 'PKCS#11 module of the HSM.' }),
    label: z.string().meta({ description: 'Label of the token.' }),
    pinFile: file.meta({ description: 'File with the PIN.' }),
    constantsFile: file.meta({ description: 'Constants of the key derivation, made at the ceremony.' }),
    kdf: z.enum(kdfs).default('cbc-data').meta({
      description:
        'Mechanism by which the EID-KDF is computed: from the constants, on any module, or by CKM_SP800_108_COUNTER_KDF. Both give the same keys, as the test EID shows at each start; the masters of a token are made for one of them, by the plan of their ceremony.',
    }),
    softHsmConf: file
      .nullable()
      .default(null)
      .meta({ description: 'Configuration of SoftHSM; null for other modules.' }),
    deadlineMs: milliseconds.default(5_000).meta({ description: 'Longest wait for one call.', unit: 'ms' }),
    recycleGrowthMiB: z.int().min(1).max(65_536).default(250).meta({
      description: 'Growth after which the token’s process is replaced; it finishes its dialogues first.',
      unit: 'MiB',
    }),
  }),
  instructionSocket: file.meta({ description: 'Socket at which the command line instructs this program.' }),
  ledgerUrl: z.string().startsWith('postgres').meta({ description: 'Database of the gateways of this HSM.' }),
  markFile: file.meta({
    description:
      'Where this gateway remembers how far its ledger was, apart from the database: a restored backup is found ' +
      'out by it. Made at the first start; each gateway has its own, and it moves with the gateway.',
  }),
  statementTimeoutMs: milliseconds
    .default(5_000)
    .meta({ description: 'Longest wait for one statement.', unit: 'ms' }),
  transport: z
    .strictObject({
      class: z.enum(transportClasses).default('diversified').meta({
        description:
          'Who else knows the transport keys of the chips; stands in every record. All but diversified need the laboratory profile here and in the ticket.',
      }),
      scheme: z.enum(transportSchemes).default('eid-kdf-1').meta({
        description:
          'How they are derived from a master in the token; none: one fixed set of three keys in the token.',
      }),
    })
    .refine((transport) => transport.class !== 'diversified' || transport.scheme !== 'none', {
      error: 'one fixed set for every chip is shared or published, never diversified',
      path: ['class'],
    })
    .prefault({})
    .meta({ description: 'The keys that the chips arrive with.' }),
  issuers: z
    .array(
      z.strictObject({
        name: partyName.meta({ description: 'Intermediate, as tickets name it.' }),
        key: z.string().meta({ description: 'Label of its key in the token.' }),
        certificate: file.meta({ description: 'Its certificate, PEM.' }),
        profile: z.enum(profileNames).default('idevid-batch').meta({
          description: 'Profile of every certificate that it issues.',
        }),
        distributionPoint: z
          .url({ protocol: /^https?$/ })
          .max(200)
          .nullable()
          .default(null)
          .meta({
            description:
              'URL of its CRL, in every certificate of a profile that names one. Fixed for ever at the first ' +
              'certificate: only where its owner lives as long as the devices.',
          }),
      }),
    )
    .min(1)
    .max(4096),
  region: z.string().min(1).max(32).nullable().default(null).meta({
    description: 'Region of this gateway; intermediates of another region are refused here.',
  }),
  maker: z.string().min(1).max(64).nullable().default(null).meta({
    description: 'Organization in the subject, for profiles that name one.',
  }),
  scopeExtension: oid.nullable().default(null).meta({
    description: 'Object identifier of the extension with the scope of an intermediate.',
  }),
  crl: z
    .strictObject({
      directory: file.meta({
        description: 'Where revocation lists are published, as NAME.crl and NAME.crl.pem.',
      }),
      validityDays: z.int().min(1).max(365).default(30).meta({
        description: 'From a list to its nextUpdate; it is renewed when half of that is over.',
        unit: 'd',
      }),
    })
    .nullable()
    .default(null)
    .meta({ description: 'Revocation lists of the intermediates; null: this gateway signs none.' }),
  hardwareType: oid.meta({
    description: 'Object identifier of the chip model, under the maker’s enterprise number.',
  }),
  batchExtension: oid.meta({
    description: 'Object identifier of the extension with batch and manufacturing time.',
  }),
  attemptsMax: z
    .int()
    .min(1)
    .max(100)
    .default(24)
    .meta({ description: 'Dialogues for one chip without a confirmation.' }),
  dialoguesMax: z.int().min(1).default(256).meta({ description: 'Dialogues at a time.' }),
  dialogueIdleMs: milliseconds
    .default(60_000)
    .meta({ description: 'A dialogue without a word for this long ends.', unit: 'ms' }),
  trusted: trustedKeys,
  ticketQuorum: quorumForm.meta({
    description: 'How many of which officers must have approved an order. Gateway and backend judge it each.',
  }),
});
export type GatewayConfig = z.output<typeof gatewayConfig>;
