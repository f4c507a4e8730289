/**
 * Whether a file system keeps what it acknowledged through a power cut: ext4 with its journal, and xfs. LevelDB
 * leaves the directory entries of new files to it.
 *
 * @see proc(5), mountinfo; ext4(5)
 */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';

export interface FileSystem {
  readonly type: string;
  readonly superOptions: readonly string[];
  /** For ext4: the process of its journal, `<none>` without one; null when unknown. */
  readonly journalTask: string | null;
}

/** Null when it is safe, else why it is not. */
export function weaknessOf(fileSystem: FileSystem): string | null {
  const { type, superOptions, journalTask } = fileSystem;
  if (type !== 'ext4' && type !== 'xfs') return `${type} is neither ext4 nor xfs`;
  const unsafe = superOptions.find((option) => ['nobarrier', 'barrier=0', 'data=writeback'].includes(option));
  if (unsafe !== undefined) return `it is mounted with ${unsafe}`;
  if (type === 'ext4' && !/^\d+$/.test(journalTask ?? '')) return 'this ext4 has no journal';
  return null;
}

/** The file system that holds `path`. */
export function fileSystemOf(path: string): FileSystem {
  const device = deviceOf(path);
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [mount = '', described = ''] = line.split(' - ');
    if (mount.split(' ')[2] !== device) continue;
    const [type = '', , superOptions = ''] = described.split(' ');
    return { type, superOptions: superOptions.split(','), journalTask: journalTaskOf(device) };
  }
  return { type: 'an unknown file system', superOptions: [], journalTask: null };
}

/** `major:minor`, as the kernel splits st_dev. makedev(3) */
function deviceOf(path: string): string {
  const dev = statSync(path, { bigint: true }).dev;
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}

function journalTaskOf(device: string): string | null {
  const block = `/sys/dev/block/${device}`;
  if (!existsSync(block)) return null;
  const file = `/sys/fs/ext4/${basename(realpathSync(block))}/journal_task`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
}
