/** Reads a configuration file: JSON, every key known, every error named. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { fromHex } from '../runtime/core/bytes.ts';
import { Fault } from '../runtime/core/faults.ts';
import type { TrustedKey } from '../runtime/core/messages/envelope.ts';
import type { GatewayConfig } from './gateway.ts';
import type { BusConfig, TrustedKeysConfig } from './parts.ts';

/** @throws Fault CONFIG_INVALID naming file and setting, FILE_UNREADABLE */
export function loadConfig<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  const text = readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Fault('CONFIG_INVALID', { file: path, why: 'not JSON' }, { cause: error });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Fault('CONFIG_INVALID', { file: path, why: z.prettifyError(result.error).slice(0, 500) });
}

/** @throws Fault FILE_UNREADABLE */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Fault('FILE_UNREADABLE', { file: path, error: errorCode(error) }, { cause: error });
  }
}

export function trustedFrom(keys: TrustedKeysConfig): readonly TrustedKey[] {
  return keys.map(({ name, role, publicKey }) => ({ name, role, publicKey: fromHex(publicKey) }));
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown';
}

/** Certificate and key of a program at the message broker, in the driver's terms. */
export function busIdentity(bus: Pick<BusConfig, 'ca' | 'certificate' | 'key'>) {
  const { ca, certificate, key } = bus;
  return {
    authorityFile: ca,
    certificateFile: certificate,
    key:
      'file' in key
        ? ({ kind: 'file', path: key.file } as const)
        : ({ kind: 'pkcs11', uri: key.pkcs11 } as const),
  };
}

/** The gateway's token, in the driver's terms: for the gateway, and for whoever asks the same token beside it. */
export function gatewayToken({ token, profile }: Pick<GatewayConfig, 'token' | 'profile'>) {
  const { module, label, pinFile, constantsFile, kdf, softHsmConf, deadlineMs } = token;
  return {
    ...{ module, label, pinFile, constantsFile, kdf },
    ...(softHsmConf === null ? {} : { softHsmConf }),
    laboratory: profile !== 'production',
    deadlines: { callMs: deadlineMs },
  };
}
