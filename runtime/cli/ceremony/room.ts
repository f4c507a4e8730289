/** What the steps of a ceremony share: files beside the record, components, and keys as the token tells of them. */
import { type Bytes, toHex } from '../../core/bytes.ts';
import type { Component } from '../../core/ceremony/plan.ts';
import type { StepRecord } from '../../core/ceremony/record.ts';
import type { ComponentSource, ReadKey } from '../../core/ceremony/token.ts';
import { Fault } from '../../core/faults.ts';
import { BORN_INSIDE } from '../../core/key-attributes.ts';
import type { Ceremony } from './conduct.ts';

/** What a step left behind. */
export type Made = Pick<StepRecord, 'key' | 'file' | 'constants'>;
/** What steps need of a ceremony. */
export type Room = Pick<Ceremony, 'plan' | 'token' | 'shelf' | 'directory' | 'componentFiles' | 'crypto'>;

/** SHA-256 of a file of the ceremony, hexadecimal; null where there is none. */
export async function hashOfFile(room: Room, file: string): Promise<string | null> {
  const bytes = await room.shelf.read(pathOf(room, file));
  return bytes === null ? null : toHex(room.crypto.sha256(bytes));
}

/** @throws Fault HSM_FAILED where it is not in the token */
export async function readBack({ token }: Room, label: string): Promise<Made> {
  const key = await token.readKey(label);
  if (key === null) throw new Fault('HSM_FAILED', { key: label, reason: 'it is not in the token' });
  return { key: madeOf(label, key), file: null, constants: null };
}

/** A key as its record tells of it. */
export function madeOf(key: string, read: ReadKey): NonNullable<Made['key']> {
  const objects = read.objects.map(({ kind, attributes }) => ({
    kind,
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [
        name,
        typeof value === 'object' ? [...value] : value,
      ]),
    ),
  }));
  const inside = objects
    .filter(({ kind }) => kind !== 'public')
    .every(({ attributes }) =>
      Object.entries(BORN_INSIDE).every(([name, value]) => attributes[name] === value),
    );
  const { checkValue, publicKey } = read;
  return { key, objects, origin: inside ? 'inside' : 'outside', checkValue, publicKey };
}

/** Where the custodians' components are entered. */
export function sourcesOf(
  { componentFiles }: Room,
  components: readonly Component[],
): readonly ComponentSource[] {
  return components.map(({ custodian, checkValue }) => ({
    custodian,
    checkValue,
    file: componentFiles.get(custodian) ?? null,
  }));
}

/** @throws Fault FILE_UNREADABLE */
export async function fileOf(room: Room, file: string): Promise<Bytes> {
  const path = pathOf(room, file);
  const bytes = await room.shelf.read(path);
  if (bytes === null) throw new Fault('FILE_UNREADABLE', { path, error: 'ENOENT' });
  return bytes;
}

/** A file of the plan, from the directory of the record on. */
export function pathOf({ directory }: Pick<Room, 'directory'>, file: string): string {
  return file.startsWith('/') ? file : `${directory}/${file}`;
}
