/** Where a ceremony keeps what it intends, what it did and what it made: files that are whole and durable. */
import type { Bytes } from '../bytes.ts';

export interface Shelf {
  /** Null where there is no such file. @throws Fault FILE_UNREADABLE */
  read(path: string): Promise<Bytes | null>;
  /** Takes the place of what is there, by a rename; resolves when name and bytes are on the disk. Mode 0600, and
   * 0700 for a directory that is made. @throws Fault FILE_UNREADABLE */
  write(path: string, bytes: Bytes): Promise<void>;
}
