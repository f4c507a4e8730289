/**
 * Tidy: properties of the code itself, checked like any other behaviour. The tables below are the
 * architecture: a folder may import itself, what it lists, and nothing else.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { faults } from '../runtime/core/faults.ts';
import { toMermaid } from '../runtime/core/operation/transitions.ts';
import { pages } from '../scripts/documents/pages.ts';
import { allFiles, functionsOf, readSource, type Source } from './tidy/sources.ts';

const LINES_MAX = 300;
const FUNCTION_LINES_MAX = 70;

/** Layers by path; the longest that fits counts. A program is its folder; `main.ts` alone knows drivers. */
const MAY_IMPORT = {
  'runtime/core': [],
  'runtime/exchange': ['runtime/core'],
  'runtime/program.ts': ['runtime/core'],
  'runtime/station': ['runtime/core', 'runtime/exchange', 'config'],
  'runtime/gateway': ['runtime/core', 'runtime/exchange', 'config'],
  'runtime/backend': ['runtime/core', 'runtime/exchange', 'config'],
  'runtime/cli': ['runtime/core', 'runtime/program.ts', 'config'],
  'runtime/station/main.ts': ['runtime/station', 'runtime/core', 'runtime/program.ts', 'config', 'drivers'],
  'runtime/gateway/main.ts': ['runtime/gateway', 'runtime/core', 'runtime/program.ts', 'config', 'drivers'],
  'runtime/backend/main.ts': ['runtime/backend', 'runtime/core', 'runtime/program.ts', 'config', 'drivers'],
  'runtime/cli/main.ts': ['runtime/cli', 'runtime/core', 'runtime/program.ts', 'config', 'drivers'],
  config: ['runtime/core'],
  drivers: ['runtime/core'],
  scripts: ['runtime', 'config', 'drivers'],
  test: ['runtime', 'config', 'drivers', 'scripts'],
} as const satisfies Record<string, readonly string[]>;

/** What a composing `main.ts` takes of the drivers: their list, never one of them. */
const DRIVER_DOORS = ['drivers/index.ts', 'drivers/failpoint.ts'];

/** A vendor's package is known in one folder; tests may play its other end. */
const VENDOR_FOLDER: Readonly<Record<string, string>> = {
  serialport: 'drivers/jig',
  'johnny-five': 'drivers/jig',
  'firmata-io': 'drivers/jig',
  smartcard: 'drivers/card-reader/pcsc',
  mqtt: 'drivers/bus',
  pkcs11js: 'drivers/token',
  level: 'drivers/journal',
  'classic-level': 'drivers/journal',
  pg: 'drivers/store',
  '@peculiar/x509': 'drivers/certificates',
  'reflect-metadata': 'drivers/certificates',
  pino: 'drivers/log',
};

const FOLDERS = ['config', 'drivers', 'runtime', 'scripts', 'systemd', 'test'];
const NOT_KEPT = ['dist', 'node_modules', 'var'];

const files = allFiles();
const sources = files.filter((path) => path.endsWith('.ts')).map(readSource);
const isProduct = ({ path }: Source): boolean => !path.startsWith('test/');

/** Fails with one sentence per violation: which file, which rule, where to read on. */
function demandNone(problems: readonly string[], readOn: string): void {
  assert.ok(problems.length === 0, `\n${problems.join('\n')}\nsee ${readOn}`);
}

function layerOf(path: string): keyof typeof MAY_IMPORT | null {
  const fitting = Object.keys(MAY_IMPORT).filter((layer) => path === layer || path.startsWith(`${layer}/`));
  return (fitting.sort((a, b) => b.length - a.length)[0] as keyof typeof MAY_IMPORT) ?? null;
}

/** Lines of code that match, as `file:line`. */
function linesWith(pattern: RegExp, among: readonly Source[], of: 'code' | 'text' = 'code'): string[] {
  return among.flatMap((source) =>
    source[of].split('\n').flatMap((line, i) => (pattern.test(line) ? [`${source.path}:${i + 1}`] : [])),
  );
}

describe('the house', () => {
  it('has exactly the agreed folders at the top', () => {
    const found = readdirSync('.', { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .filter((name) => !NOT_KEPT.includes(name));
    assert.deepEqual(found.sort(), FOLDERS, 'see ARCHITECTURE.md, The tree');
  });

  it('lets every folder import only what its layer may', () => {
    const problems = sources.flatMap(({ path, imports }) => {
      const layer = layerOf(path);
      if (layer === null) return [`${path} belongs to no layer`];
      const allowed: readonly string[] = [layer, ...MAY_IMPORT[layer]];
      return imports
        .filter(({ relative, to }) => relative && !allowed.some((a) => to === a || to.startsWith(`${a}/`)))
        .map(({ target }) => `${path} (${layer}) must not import ${target}`);
    });
    demandNone(problems, 'ARCHITECTURE.md, The dependency rule');
  });

  it('lets a main.ts take drivers only from their list', () => {
    const problems = sources
      .filter(({ path }) => /^runtime\/\w+\/main\.ts$/.test(path))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ to }) => to.startsWith('drivers/') && !DRIVER_DOORS.includes(to))
          .map(({ target }) => `${path} must open ${target} through drivers/index.ts`),
      );
    demandNone(problems, 'ARCHITECTURE.md, The dependency rule');
  });

  it('knows each vendor package in one folder only', () => {
    const problems = sources.filter(isProduct).flatMap(({ path, imports }) =>
      imports
        .filter(({ relative, to }) => !relative && !to.startsWith('node:') && to !== 'zod')
        .filter(({ to }) => !path.startsWith(`${VENDOR_FOLDER[to] ?? 'nowhere'}/`))
        .map(({ to }) => `${path} must not import ${to}; its place is ${VENDOR_FOLDER[to] ?? 'not decided'}`),
    );
    demandNone(problems, 'ARCHITECTURE.md, The dependency rule');
  });

  it('keeps the core free of Node, clocks, chance and waiting', () => {
    const core = sources.filter(({ path }) => path.startsWith('runtime/core/'));
    const problems = [
      ...core.flatMap(({ path, imports }) =>
        imports
          .filter(({ relative, to }) => !relative && to !== 'zod')
          .map(({ to }) => `${path} imports ${to}`),
      ),
      ...linesWith(/\bDate\b|Math\.random|\bBuffer\b|\bprocess\b\.|\bsetTimeout\b/, core),
      ...linesWith(/\basync\b|\bawait\b/, core),
    ];
    demandNone(problems, 'ARCHITECTURE.md, The core');
  });

  it('shares no SCP03, CMAC or token code between the virtual SE and our side, not even through others', () => {
    const byPath = new Map(sources.map((source) => [source.path, source]));
    const reached = new Map<string, string>();
    const next = sources
      .map(({ path }) => path)
      .filter((p) => p.startsWith('drivers/card-reader/virtual-se/'));
    for (const path of next) reached.set(path, path);
    for (let path = next.pop(); path !== undefined; path = next.pop())
      for (const { to, relative, typeOnly } of byPath.get(path)?.imports ?? []) {
        if (!relative || typeOnly || reached.has(to)) continue;
        reached.set(to, `${to}, imported by ${path}`);
        next.push(to);
      }
    const shared = [...reached].filter(([path]) =>
      /^(runtime\/core\/(card\/scp03|crypto\/)|drivers\/token\/)/.test(path),
    );
    const problems = shared.map(([, way]) => `the virtual SE uses ${way}`);
    demandNone(problems, 'ARCHITECTURE.md, The virtual secure element');
  });
});

describe('the code', () => {
  it(`fits in ${LINES_MAX} lines a file`, () => {
    const problems = sources
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > LINES_MAX)
      .map(({ path, lines }) => `${path} has ${lines} lines`);
    demandNone(problems, 'CONTRIBUTING.md, How the code reads');
  });

  it(`fits in ${FUNCTION_LINES_MAX} lines a function`, () => {
    const problems = sources.filter(isProduct).flatMap((source) =>
      functionsOf(source)
        .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
        .map(({ line, lines }) => `${source.path}:${line} is a function of ${lines} lines`),
    );
    demandNone(problems, 'CONTRIBUTING.md, How the code reads');
  });

  it('has no default export and no note to self', () => {
    const notes = new RegExp(`\\b(?:${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')})\\b`);
    const problems = [...linesWith(/^export default\b/, sources), ...linesWith(notes, sources, 'text')];
    demandNone(problems, 'CONTRIBUTING.md, How the code reads');
  });

  it('swallows no error: no empty catch, and a promise whose failure is known elsewhere says where', () => {
    const product = sources.filter(isProduct);
    const silent = /\.catch\(\(\w*\) => (?:undefined|null|\{\s*\})\)(?!.*\/\/ \S)/;
    const problems = [
      ...linesWith(silent, product, 'text'),
      ...product
        .filter(({ code }) => /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}/.test(code))
        .map(({ path }) => `${path} has an empty catch`),
    ];
    demandNone(problems, 'CONTRIBUTING.md, How the code reads');
  });

  it('skips no test without a reason, and narrows none', () => {
    const tests = sources.filter(({ path }) => path.startsWith('test/'));
    const problems = linesWith(
      /\b(?:it|test|describe)\.(?:skip|only|todo)\(|\b(?:skip|only|todo): true\b|\.skip\(\)/,
      tests,
    );
    demandNone(problems, 'CONTRIBUTING.md, Tests');
  });

  it('never repairs or destroys a LevelDB store: both lose what was acknowledged', () => {
    const storing = sources.filter(({ imports }) =>
      imports.some(({ to }) => VENDOR_FOLDER[to] === 'drivers/journal'),
    );
    const problems = [
      ...linesWith(/\.repair\(|\w*Level\.(?:repair|destroy)\b/, sources),
      ...linesWith(/\bdestroy\(/, storing),
    ];
    demandNone(problems, 'ARCHITECTURE.md, The journal');
  });

  it('names no directory of anybody’s own machine', () => {
    const places = ['work', 'home', 'root', ['tmp', 'helpers'].join('/')];
    const own = new RegExp(`(?<![\\w.~*}])/(?:${places.join('|')})/`);
    const texts = files.filter((path) => !/\.(?:jws|der|png)$/.test(path));
    const problems = texts.filter((path) => own.test(readFileSync(path, 'utf8')));
    demandNone(problems, 'CONTRIBUTING.md, How the code reads');
  });
});

describe('the packages', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;

  it('are pinned exactly, types of Node aside', () => {
    const { dependencies, devDependencies } = manifest;
    const problems = Object.entries({ ...dependencies, ...devDependencies })
      .filter(([name, version]) => name !== '@types/node' && !/^\d+\.\d+\.\d+$/.test(version))
      .map(([name, version]) => `package.json: ${name} is ${version}, not one version`);
    demandNone(problems, 'CONTRIBUTING.md, Packages');
  });

  it('run a script at their installation only where package.json allows it', () => {
    const compiled = ['smartcard', 'pkcs11js', 'classic-level', '@serialport/bindings-cpp'];
    assert.deepEqual(
      Object.keys(manifest.allowScripts).sort(),
      compiled.sort(),
      'see CONTRIBUTING.md, Packages',
    );
  });

  it('are locked by their hashes, without the host that one machine got them from', () => {
    const lock = readFileSync('package-lock.json', 'utf8');
    assert.ok(!lock.includes('"resolved"'), 'package-lock.json names hosts; see .npmrc');
    assert.ok(lock.includes('"integrity": "sha512-'), 'package-lock.json has no hashes');
  });
});

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

describe('the fault catalogue', () => {
  it('speaks to people: a title without full stop, cause and remedy in sentences', () => {
    const problems = Object.entries(faults).flatMap(([code, { title, cause, remedy }]) => [
      ...(/^[A-Z][^.]*[^.\s]$/.test(title)
        ? []
        : [`${code}: the title must be one phrase, the code follows it`]),
      ...[cause, remedy]
        .filter((text) => !/^[A-Za-z].*\.$/s.test(text))
        .map((text) => `${code}: no sentence: ${text}`),
    ]);
    demandNone(problems, 'CONTRIBUTING.md, A new fault');
  });

  it('holds no code that nothing raises', () => {
    const product = sources.filter((s) => isProduct(s) && !s.path.startsWith('runtime/core/faults'));
    const problems = Object.keys(faults)
      .filter((code) => !product.some(({ text }) => text.includes(`'${code}'`)))
      .map((code) => `${code} is used nowhere`);
    demandNone(problems, 'CONTRIBUTING.md, A new fault');
  });
});

describe('what people read', () => {
  it('draws the operation in names that Mermaid reads: a hyphen would end one', () => {
    const arrows = [...toMermaid().matchAll(/^ {2}(\S+) --> ([^:\s]+)/gm)];
    assert.ok(arrows.length > 0);
    const broken = arrows
      .flatMap(([, from = '', to = '']) => [from, to])
      .filter((name) => name.includes('-'));
    demandNone([...new Set(broken)], 'runtime/core/operation/transitions.ts, toMermaid');
  });

  for (const page of pages)
    it(`${page.path} says what the code says`, () => {
      const now = readFileSync(page.path, 'utf8');
      assert.ok(page.text(now) === now, `${page.path} is out of date: run npm run docs`);
    });
});
