/** What a backend remembers of its log apart from the database. */
import type { Bytes } from '../bytes.ts';

/** A head of the log that was given out in a receipt. */
export interface ToldHead {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Bytes;
}

/** The file in which a head is remembered. `root`: hexadecimal. */
export const headText = ({ size, root }: { readonly size: number; readonly root: string }): string =>
  `${JSON.stringify({ size, root })}\n`;

/** Real: a file beside the backend; simulated: in memory. One backend alone writes it. */
export interface HeadMemory {
  /** The largest that was ever remembered; null before the first. */
  readonly told: ToldHead | null;
  /** Durable when it resolves; a smaller one changes nothing. @throws Fault FILE_UNREADABLE */
  remember(head: ToldHead): Promise<void>;
}
