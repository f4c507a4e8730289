/** Makes one process of a mutant: registers the hook that changes its one module while it is loaded. */
import { register } from 'node:module';

register('./load-hook.js', { parentURL: import.meta.url, data: process.env.HOLDFAST_MUTANT ?? '' });
