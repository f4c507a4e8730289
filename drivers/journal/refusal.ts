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
