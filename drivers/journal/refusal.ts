/** What the operating system refuses, told apart from damage: the journal itself may be whole. */
import { Fault } from '../../runtime/core/faults.ts';

/** Errors that are about the place that is written, not about the one that is read. errno(3) */
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EROFS', 'EFBIG'];

/** FILE_UNREADABLE naming the file; null for any other error, and for EIO, which is failing storage. */
export function refusalOf(error: unknown, directory: string): Fault | null {
  const { syscall, code, path, dest } = error as NodeJS.ErrnoException & { readonly dest?: string };
  if (syscall === undefined || code === undefined || code === 'EIO') return null;
  const file = (NO_ROOM.includes(code) ? (dest ?? path) : path) ?? directory;
  return new Fault('FILE_UNREADABLE', { file, error: code }, { cause: error });
}

/**
 * What kept a journal from being opened for writing: JOURNAL_POISONED where the disk is full, failing or read-only,
 * FILE_UNREADABLE where this account may not; null for an error that the system did not make.
 */
export function openingRefusalOf(error: unknown, directory: string): Fault | null {
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code !== undefined && syscall !== undefined && [...NO_ROOM, 'EIO'].includes(code))
    return new Fault('JOURNAL_POISONED', { file: path ?? directory, error: code }, { cause: error });
  return refusalOf(error, directory);
}
