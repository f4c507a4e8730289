/**
 * PKCS#11 through pkcs11js: the module, the token by its label, log-in, and vendor errors as faults. Imported
 * only by processes that may load a native module.
 *
 * @see PKCS#11 2.40
 */
import { readFileSync, statSync } from 'node:fs';
import pkcs11js from 'pkcs11js';
import { Fault, type FaultCode, isFault } from '../../../runtime/core/faults.ts';
import type { TokenDescription } from '../../../runtime/core/token.ts';

export const ck: typeof pkcs11js = pkcs11js;
export type Handle = pkcs11js.Handle;
export type Template = pkcs11js.Template;
export type Cryptoki = pkcs11js.PKCS11;

/** Where a token is and how to get in. */
export interface TokenPlace {
  readonly module: string;
  readonly label: string;
  /** File with the user PIN, readable by its owner alone. */
  readonly pinFile: string;
}

/** Modules of this process. A PKCS11 object that is collected unloads its module under everybody's feet. */
const loaded = new Map<string, Cryptoki>();

/** Errors after which nothing of this process's PKCS#11 state can be relied on. */
const FATAL =
  /^CKR_(?:DEVICE_|SESSION_|TOKEN_NOT_|USER_NOT_LOGGED_IN|CRYPTOKI_NOT_INITIALIZED|GENERAL_ERROR)/;
/** CKF_HW_SLOT. PKCS#11 2.40 section 3.2; pkcs11js does not declare it. */
const HARDWARE_SLOT = 0x0000_0004;
/** Handles that one call of C_FindObjects may give. */
const FOUND_AT_A_TIME = 64;
/** Bits a file may not have: it would be readable or writable by others. */
const OTHERS = 0o077;

/**
 * Loads the module once per process and initialises it with locking by the operating system; somebody else in
 * the process (the OpenSSL engine) may have initialised it before.
 * @throws Fault TOKEN_UNAVAILABLE
 */
export function loadModule(path: string): Cryptoki {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  const cryptoki = new ck.PKCS11();
  try {
    cryptoki.load(path);
    cryptoki.C_Initialize({ flags: ck.CKF_OS_LOCKING_OK });
  } catch (error) {
    if (nameOf(error) !== 'CKR_CRYPTOKI_ALREADY_INITIALIZED')
      throw new Fault('TOKEN_UNAVAILABLE', { module: path, ...vendorContext(error) }, { cause: error });
  }
  loaded.set(path, cryptoki);
  return cryptoki;
}

/** The slot by the token's label, never by its index: slots are renumbered. @throws Fault TOKEN_UNAVAILABLE */
export function findSlot(cryptoki: Cryptoki, label: string): Handle {
  const slots = guarded('TOKEN_UNAVAILABLE', () =>
    cryptoki.C_GetSlotList(true).filter((slot) => textOf(cryptoki.C_GetTokenInfo(slot).label) === label),
  );
  const [slot] = slots;
  if (slot === undefined || slots.length > 1)
    throw new Fault('TOKEN_UNAVAILABLE', { label, reason: 'no or several such tokens', found: slots.length });
  return slot;
}

/**
 * Opens a session and logs in; the log-in is one for the whole process.
 * @throws Fault TOKEN_PIN_WRONG, TOKEN_UNAVAILABLE, FILE_UNREADABLE
 */
export function logIn(cryptoki: Cryptoki, slot: Handle, pinFile: string): Handle {
  const pin = readSecret(pinFile).trim();
  const session = openSession(cryptoki, slot);
  try {
    cryptoki.C_Login(session, ck.CKU_USER, pin);
  } catch (error) {
    const name = nameOf(error);
    if (name === 'CKR_USER_ALREADY_LOGGED_IN') return session;
    const wrong = name === 'CKR_PIN_INCORRECT' || name === 'CKR_PIN_LEN_RANGE' || name === 'CKR_PIN_INVALID';
    const code = wrong ? 'TOKEN_PIN_WRONG' : 'TOKEN_UNAVAILABLE';
    throw new Fault(code, { pinFile, ...vendorContext(error) }, { cause: error });
  }
  return session;
}

export function openSession(cryptoki: Cryptoki, slot: Handle): Handle {
  return guarded('HSM_FAILED', () => cryptoki.C_OpenSession(slot, ck.CKF_SERIAL_SESSION | ck.CKF_RW_SESSION));
}

/** Handles of all objects that the template fits. @throws Fault HSM_FAILED */
export function findObjects(cryptoki: Cryptoki, session: Handle, template: Template): readonly Handle[] {
  const found: Handle[] = [];
  guarded('HSM_FAILED', () => {
    cryptoki.C_FindObjectsInit(session, template);
    for (;;) {
      const some = cryptoki.C_FindObjects(session, FOUND_AT_A_TIME);
      if (some.length === 0) break;
      found.push(...some);
    }
    cryptoki.C_FindObjectsFinal(session);
  });
  return found;
}

/** A hardware slot says so itself; whatever does not is counted as software. */
export function describe(cryptoki: Cryptoki, slot: Handle): TokenDescription {
  const token = cryptoki.C_GetTokenInfo(slot);
  const library = cryptoki.C_GetInfo();
  const { major, minor } = library.libraryVersion;
  return {
    softwareToken: (cryptoki.C_GetSlotInfo(slot).flags & HARDWARE_SLOT) === 0,
    module: `${textOf(library.manufacturerID)} ${textOf(token.model)} ${major}.${minor}`,
    label: textOf(token.label),
    serial: textOf(token.serialNumber),
  };
}

/** Text of a file that only its owner may read. @throws Fault FILE_UNREADABLE */
export function readSecret(path: string): string {
  return readSecretBytes(path).toString('utf8');
}

/** The same as bytes, which the caller can wipe. @throws Fault FILE_UNREADABLE */
export function readSecretBytes(path: string): Buffer {
  try {
    if ((statSync(path).mode & OTHERS) !== 0)
      throw new Fault('FILE_UNREADABLE', { path, reason: 'others may read it: mode must be 0600' });
    return readFileSync(path);
  } catch (error) {
    if (isFault(error)) throw error;
    throw new Fault('FILE_UNREADABLE', { path }, { cause: error });
  }
}

/** Runs PKCS#11 calls; what the vendor reports becomes a fault with the vendor's name for it. */
export function guarded<Result>(code: FaultCode, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (error instanceof ck.Pkcs11Error || error instanceof ck.NativeError)
      throw new Fault(code, vendorContext(error), { cause: error });
    throw error;
  }
}

/** Whether the process must end: handles or log-in are gone. */
export function isFatal(error: unknown): boolean {
  return isFault(error) && typeof error.context.ckr === 'string' && FATAL.test(error.context.ckr);
}

/** Space or NUL padded, by the module's taste. */
function textOf(padded: string): string {
  return padded.replaceAll('\0', '').trim();
}

function nameOf(error: unknown): string {
  return error instanceof ck.Pkcs11Error ? error.message : '';
}

function vendorContext(error: unknown): { readonly ckr: string; readonly call: string } {
  if (error instanceof ck.Pkcs11Error) return { ckr: error.message, call: error.method };
  return { ckr: error instanceof ck.NativeError ? error.message : 'unknown', call: '' };
}
