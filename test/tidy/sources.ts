/** The project's files as the tidy rules see them: text, code without comments and strings, imports, functions. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Source {
  /** From the root of the project, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Same lines, with comments removed and string contents emptied. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written. */
  readonly target: string;
  /** Path from the root for a relative import, else the name of the package or `node:` module. */
  readonly to: string;
  readonly relative: boolean;
  /** Whether it vanishes when compiled. */
  readonly typeOnly: boolean;
}

/** Folders that hold nothing of ours, or nothing that is kept. */
const OUTSIDE = new Set(['node_modules', 'dist', 'var', '.git']);

/** Every file of the project, by path from its root. */
export function allFiles(folder = ''): readonly string[] {
  return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return folder === '' && OUTSIDE.has(entry.name) ? [] : allFiles(path);
    return entry.isFile() ? [path] : [];
  });
}

export function readSource(path: string): Source {
  const text = readFileSync(path, 'utf8');
  return { path, text, code: codeOf(text), imports: importsOf(path, text) };
}

/** `import … from 'x'` and `export … from 'x'`; `import 'x'`; `import('x')`. */
const IMPORTS = [
  /^(?:import|export)\b(\s+type\b)?[\w\s{},*$]*\bfrom\s*'([^'\n]+)'/gm,
  /^import()\s*'([^'\n]+)'/gm,
  /\b(?:import|require)()\(\s*'([^'\n]+)'/g,
];

function importsOf(path: string, text: string): readonly Import[] {
  const plain = withoutComments(text);
  const found = IMPORTS.flatMap((pattern) => [...plain.matchAll(pattern)]);
  return found.map(([, type = '', target = '']) => {
    const relative = target.startsWith('.');
    const to = relative ? join(dirname(path), target) : packageOf(target);
    return { target, to, relative, typeOnly: type !== '' };
  });
}

/** `@scope/name/file` is `@scope/name`; `node:fs/promises` stays. */
function packageOf(target: string): string {
  if (target.startsWith('node:')) return target;
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Comments, strings, templates and regular expressions, in the order in which they begin. */
const TOKENS =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[=(,:[!&|?{};>\n]\s*|return\s+)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;

const lines = (text: string): string => text.replace(/[^\n]/g, '');

/** Keeps the line numbers. What a template inserts is not looked into. */
export function codeOf(text: string): string {
  return text.replace(TOKENS, (token) => (token.startsWith('/*') ? lines(token) : emptied(token)));
}

function emptied(token: string): string {
  if (token.startsWith('//')) return '';
  if (token.startsWith('/')) return '/ /';
  return `${token[0]}${lines(token)}${token[0]}`;
}

function withoutComments(text: string): string {
  return text.replace(TOKENS, (token) => (/^\/[/*]/.test(token) ? lines(token) : token));
}

export interface FunctionPlace {
  /** First line of the function, from 1. */
  readonly line: number;
  readonly lines: number;
}

/** Functions by their indentation, which the formatter guarantees: from the head to the brace at its depth. */
export function functionsOf(source: Source): readonly FunctionPlace[] {
  const rows = source.code.split('\n');
  return rows.flatMap((row, i) => {
    if (!row.trimEnd().endsWith('{')) return [];
    const depth = indentOf(row);
    // A head that does not fit a line ends with `): Result {` at the depth where it began.
    let head = i;
    while (head > 0 && /^\s*[)\]}]/.test(rows[head] ?? '')) head = previousAt(rows, head, depth);
    const first = rows[head] ?? '';
    if (!isFunction(first, row)) return [];
    const end = rows.findIndex((r, k) => k > i && indentOf(r) === depth && /^\s*}/.test(r));
    return end < 0 ? [] : [{ line: head + 1, lines: end - head + 1 }];
  });
}

function isFunction(first: string, last: string): boolean {
  if (/^\s*(if|for|while|switch|catch|else|do|try|return|class|interface|export class)\b/.test(first))
    return false;
  if (/=>\s*\{\s*$/.test(last)) return true;
  if (/\bfunction\b/.test(first)) return true;
  return /^\s*(async |static |get |set |override |\*)*[#\w]+\(/.test(first) && /\)[^=]*\{\s*$/.test(last);
}

function previousAt(rows: readonly string[], from: number, depth: number): number {
  for (let i = from - 1; i >= 0; i--)
    if ((rows[i] ?? '').trim() !== '' && indentOf(rows[i] ?? '') <= depth) return i;
  return 0;
}

function indentOf(row: string): number {
  return row.length - row.trimStart().length;
}
