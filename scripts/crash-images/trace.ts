/**
 * What a program did to a directory, from the words of strace(1) with `-f -yy -xx`: calls that succeeded, in the order
 * in which they ended.
 */
export type Operation =
  | {
      readonly kind: 'open';
      readonly path: string;
      readonly descriptor: string;
      readonly create: boolean;
      readonly truncate: boolean;
    }
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly descriptor: string;
      readonly at: number | null;
      readonly bytes: Buffer;
    }
  | {
      readonly kind: 'copy';
      readonly from: string;
      readonly to: string;
      readonly descriptor: string;
      readonly sizeBytes: number;
    }
  | { readonly kind: 'truncate'; readonly path: string; readonly sizeBytes: number }
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'mkdir' | 'remove'; readonly path: string }
  | { readonly kind: 'rename' | 'link'; readonly from: string; readonly to: string }
  | { readonly kind: 'said'; readonly line: string };

/** The calls that change files. */
export const RECORDED_CALLS =
  'openat,open,creat,write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,ftruncate,truncate,copy_file_range,sendfile,fallocate';

const CALL = /^(\w+)\((.*)\) += (-?\d+)/;

/** @throws RangeError for a call that is not understood: an image that leaves one out would prove nothing */
export function operationsOf(trace: string): readonly Operation[] {
  const unfinished = new Map<string, string>();
  const operations: Operation[] = [];
  for (const line of trace.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const [, begun] = /^(.*) <unfinished \.\.\.>$/.exec(rest) ?? [];
    if (begun !== undefined) {
      unfinished.set(thread, begun);
      continue;
    }
    const [, ending] = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest) ?? [];
    const whole = ending === undefined ? rest : `${unfinished.get(thread) ?? ''}${ending}`;
    const [, call, given = '', result = ''] = CALL.exec(whole) ?? [];
    if (call === undefined || result.startsWith('-')) continue;
    operations.push(...operationOf(call, given.split(', ').map(argument), result));
  }
  return operations;
}

interface Argument {
  /** Number of a descriptor, or what stands there literally. */
  readonly word: string;
  /** A string, or the path behind a descriptor. */
  readonly bytes: Buffer;
}

/** A quoted string, or a word with a path in angle brackets, both in hexadecimal; pipes have another name there. */
function argument(text: string): Argument {
  if (text.endsWith('...')) throw new RangeError('strace has cut a string');
  const [, word = text, hex = ''] = /^([^"<]*)["<]((?:\\x[0-9a-f]{2})*)/.exec(text) ?? [];
  return { word, bytes: Buffer.from(hex.replaceAll('\\x', ''), 'hex') };
}

function operationOf(call: string, given: readonly Argument[], result: string): readonly Operation[] {
  const path = (index: number): string => given[index]?.bytes.toString() ?? '';
  const word = (index: number): string => given[index]?.word ?? '';
  switch (call) {
    case 'openat': {
      const flags = word(2).split('|');
      const [create, truncate] = [flags.includes('O_CREAT'), flags.includes('O_TRUNC')];
      return [{ kind: 'open', path: path(1), descriptor: result, create, truncate }];
    }
    case 'write':
    case 'pwrite64': {
      const bytes = given[1]?.bytes.subarray(0, Number(result)) ?? Buffer.alloc(0);
      const at = call === 'write' ? null : Number(word(3));
      if (word(0) === '1')
        return bytes
          .toString()
          .trimEnd()
          .split('\n')
          .map((line) => ({ kind: 'said', line }));
      return [{ kind: 'write', path: path(0), descriptor: word(0), at, bytes }];
    }
    case 'copy_file_range':
      return [{ kind: 'copy', from: path(0), to: path(2), descriptor: word(2), sizeBytes: Number(result) }];
    case 'sendfile':
      return [{ kind: 'copy', from: path(1), to: path(0), descriptor: word(0), sizeBytes: Number(result) }];
    case 'ftruncate':
      return [{ kind: 'truncate', path: path(0), sizeBytes: Number(word(1)) }];
    case 'fsync':
    case 'fdatasync':
      return [{ kind: 'sync', path: path(0) }];
    case 'mkdir':
      return [{ kind: 'mkdir', path: path(0) }];
    case 'unlink':
    case 'rmdir':
      return [{ kind: 'remove', path: path(0) }];
    case 'unlinkat':
      return [{ kind: 'remove', path: path(1) }];
    case 'rename':
    case 'link':
      return [{ kind: call, from: path(0), to: path(1) }];
    default:
      throw new RangeError(`the call ${call} is not understood`);
  }
}
