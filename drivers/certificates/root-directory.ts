/**
 * The directory of an offline root: what it is, its register, and in a laboratory its key. Only its owner may enter
 * it, and nothing of a gateway lies in it.
 */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asFault, Fault } from '../../runtime/core/faults.ts';
import {
  type RootDirectory,
  type RootEntry,
  type RootForm,
  rootEntry,
  rootForm,
} from '../../runtime/core/pki/root.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { openAuthorityFileSigner } from '../token/file-signer.ts';

const FORM = 'root.json';
const REGISTER = 'register.jsonl';
/** Signs of a gateway: its configuration and the constants of its token. */
const GATEWAY_SIGNS = [
  'gateway.json',
  'token/constants.json',
  'ceremony/constants.json',
  '../gateway.json',
  '../constants.json',
];

/** Makes the directory, and a key file where the form names one that is not there. What is there is kept.
 * @throws Fault ROOT_REFUSED */
export async function makeRootDirectory(
  path: string,
  form: RootForm,
  curve: 'P-256' | 'P-384' = 'P-256',
): Promise<void> {
  demandNoGateway(path);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if ('file' in form.key) await makeKeyFile(join(path, form.key.file), curve);
    if (!existsSync(join(path, FORM)))
      await writeFile(join(path, FORM), `${JSON.stringify(form, null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    throw unwritable(error, path);
  }
}

/** Keeps the key that is there. @throws Fault ROOT_REFUSED */
export async function makeKeyFile(path: string, curve: 'P-256' | 'P-384' = 'P-256'): Promise<void> {
  if (existsSync(path)) return;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
  try {
    await writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  } catch (error) {
    throw unwritable(error, path);
  }
}

/** @throws Fault ROOT_REFUSED, FILE_UNREADABLE, TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG */
export async function openRootDirectory(path: string): Promise<RootDirectory> {
  demandNoGateway(path);
  const form = rootForm.safeParse(await jsonIn(join(path, FORM)));
  if (!form.success)
    throw new Fault('ROOT_REFUSED', { directory: path, why: 'root.json is missing or malformed' });
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    throw new Fault('ROOT_REFUSED', { directory: path, why: 'others may enter it: mode must be 0700' });
  const signer = await signerIn(path, form.data);
  const entries = [...(await registerIn(path))];
  return {
    form: form.data,
    signer,
    get entries() {
      return entries;
    },
    append: async (entry) => {
      await appended(join(path, REGISTER), entry);
      entries.push(entry);
    },
    close: async () => signer[Symbol.asyncDispose]?.(),
  };
}

async function signerIn(path: string, { key }: RootForm): Promise<Signer & Partial<AsyncDisposable>> {
  if ('file' in key) return openAuthorityFileSigner(join(path, key.file));
  const { openPkcs11Signer } = await import('../token/pkcs11/signer.ts');
  // SoftHSM reads it when it is loaded.
  if (key.softHsmConf !== null) process.env.SOFTHSM2_CONF = key.softHsmConf;
  return openPkcs11Signer(key);
}

async function registerIn(path: string): Promise<readonly RootEntry[]> {
  const file = join(path, REGISTER);
  const text = existsSync(file) ? await readFile(file, 'utf8') : '';
  const lines = text.split('\n');
  // A line without its end was never acknowledged: nothing was signed for it.
  return lines.slice(0, -1).map((line, i) => {
    const entry = rootEntry.safeParse(parsed(line));
    if (entry.success) return entry.data;
    throw new Fault('ROOT_REFUSED', { directory: path, line: i + 1, why: 'the register is damaged' });
  });
}

async function appended(file: string, entry: RootEntry): Promise<void> {
  try {
    await mendEnd(file);
    await appendFile(file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    const handle = await open(file, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unwritable(error, file);
  }
}

/** Cuts off a line that a power cut left without its end. */
async function mendEnd(file: string): Promise<void> {
  if (!existsSync(file)) return;
  const text = await readFile(file, 'utf8');
  if (text === '' || text.endsWith('\n')) return;
  await writeFile(file, text.slice(0, text.lastIndexOf('\n') + 1), { mode: 0o600 });
}

function unwritable(error: unknown, path: string): Fault {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  return asFault(error, 'ROOT_REFUSED', { path, error: code, why: 'it cannot be written' });
}

function demandNoGateway(path: string): void {
  const found = GATEWAY_SIGNS.find((name) => existsSync(join(path, name)));
  if (found !== undefined)
    throw new Fault('ROOT_REFUSED', { directory: path, found, why: 'a root is never kept with a gateway' });
}

async function jsonIn(file: string): Promise<unknown> {
  return existsSync(file) ? parsed(await readFile(file, 'utf8')) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // The caller says what is malformed.
  }
}
