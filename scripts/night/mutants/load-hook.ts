/** Node's loading of modules, with one module changed as a mutant says. @see Node.js documentation, module customization hooks */
import { changed, type Mutant, mutantNamed } from './table.ts';

type NextLoad = (url: string, context: unknown) => Promise<{ source?: string | Uint8Array | null }>;

let mutant: Mutant | null = null;

export function initialize(name: string): void {
  mutant = mutantNamed(name);
}

export async function load(url: string, context: unknown, nextLoad: NextLoad): Promise<unknown> {
  const loaded = await nextLoad(url, context);
  if (mutant === null || !url.endsWith(`/dist/${mutant.module}`) || loaded.source == null) return loaded;
  const source =
    typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source).toString('utf8');
  return { ...loaded, source: changed(source, mutant) };
}
