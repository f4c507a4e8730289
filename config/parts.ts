/** Settings that several programs share. */
import { z } from 'zod';
import { roles } from '../runtime/core/messages/envelope.ts';

export const milliseconds = z.int().positive().meta({ unit: 'ms' });
export const file = z.string().min(1);
export const partyName = z.string().regex(/^[a-z0-9-]{1,32}$/, 'a-z, 0-9 and hyphen, at most 32');

const level = z.string().regex(/^[A-Za-z0-9-]{1,32}$/, 'letters, digits and hyphen');
export const plant = z
  .strictObject({ enterprise: level, site: level, area: level, line: level })
  .meta({ description: 'Place in the plant (ISA-95): the topics of status begin with it.' });

export const busConfig = z.strictObject({
  host: z.string().meta({ description: 'Message broker.' }),
  port: z.int().min(1).max(65_535).default(8883).meta({ description: 'Port of the broker (TLS).' }),
  servername: z.string().meta({ description: 'Name in the broker’s certificate.' }),
  ca: file.meta({ description: 'Certificates that sign the broker’s, PEM.' }),
  certificate: file.meta({ description: 'Certificate of this program, PEM.' }),
  key: z
    .union([
      z.strictObject({ file: file.meta({ description: 'Private key, PEM, mode 0600.' }) }),
      z.strictObject({
        pkcs11: z.string().startsWith('pkcs11:').meta({ description: 'PKCS#11 URI with pin-source.' }),
      }),
    ])
    .meta({ description: 'Private key: a file, or an object in a PKCS#11 token.' }),
  keepaliveSeconds: z.int().min(2).max(60).default(5).meta({ description: 'MQTT keep-alive.', unit: 's' }),
  connectDeadlineMs: milliseconds
    .default(5_000)
    .meta({ description: 'Longest wait for the broker.', unit: 'ms' }),
});
export type BusConfig = z.output<typeof busConfig>;

const point = z.string().regex(/^04[0-9a-f]{128}$/, 'a P-256 point: 04 and 64 bytes, hexadecimal');

export const trustedKeys = z
  .array(z.strictObject({ name: partyName, role: z.enum(roles), publicKey: point }))
  .max(4096)
  .meta({ description: 'Keys whose signatures this program believes, each for one role.' });
export type TrustedKeysConfig = z.output<typeof trustedKeys>;

export const logKey = z
  .strictObject({ name: z.string().min(1), publicKey: z.string().regex(/^[0-9a-f]{64}$/) })
  .meta({ description: 'Origin of the fleet log and its Ed25519 key.' });
