/** The table of settings of a program, from its schema. */
import { z } from 'zod';
import { code, table } from './parts.ts';

/** One setting as a person types it: `bus.key.file`, `nests[].name`, `authorities.<name>`. */
export interface Setting {
  readonly key: string;
  readonly kind: string;
  /** The default as JSON, or what is asked of the reader where there is none. */
  readonly preset: string;
  /** Its own description, or that of what it belongs to. */
  readonly meaning: string;
}

export function settingTable(schema: z.ZodType): string {
  return table(
    ['Setting', 'Value', 'Default', 'Meaning'],
    settingsOf(schema).map(({ key, kind, preset, meaning }) => [code(key), kind, preset, meaning]),
  );
}

/** Every setting that holds a value, in the order of the schema. */
export function settingsOf(schema: z.ZodType): readonly Setting[] {
  return walk('', z.toJSONSchema(schema, { io: 'input' }) as Form, '', GIVEN);
}

const GIVEN = 'must be given';
const ONE_OF_THESE = 'one of these';

/** As much of JSON Schema as configurations use. */
interface Form {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Form>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Form | false;
  readonly items?: Form | false;
  readonly prefixItems?: readonly Form[];
  readonly anyOf?: readonly Form[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly description?: string;
  readonly unit?: string;
}

function walk(key: string, form: Form, inherited: string, preset: string): readonly Setting[] {
  const meaning = form.description ?? inherited;
  const below = (name: string, part: Form): readonly Setting[] => {
    const own = part.default === undefined ? GIVEN : code(JSON.stringify(part.default));
    const path = key === '' ? name : `${key}.${name}`;
    return walk(path, part, meaning, preset === ONE_OF_THESE ? preset : own);
  };
  if (form.properties !== undefined)
    return Object.entries(form.properties).flatMap(([name, part]) => below(name, part));
  if (typeof form.additionalProperties === 'object') return below('<name>', form.additionalProperties);
  const item = form.prefixItems?.[0] ?? form.items;
  if (item && !isPlain(item)) return walk(`${key}[]`, item, meaning, GIVEN);
  const objects = form.anyOf?.filter((choice) => !isPlain(choice)) ?? [];
  if (objects.length > 0) return objects.flatMap((choice) => walk(key, choice, meaning, ONE_OF_THESE));
  return [{ key, kind: kindOf(form), preset, meaning }];
}

function isPlain(form: Form): boolean {
  return form.properties === undefined && typeof form.additionalProperties !== 'object';
}

function kindOf(form: Form): string {
  if (form.anyOf !== undefined) return form.anyOf.map(kindOf).join(' or ');
  if (form.const !== undefined) return code(String(form.const));
  if (form.enum !== undefined) return form.enum.map((value) => code(String(value))).join(' or ');
  if (form.type === 'integer') return `whole number${limitsOf(form)}${form.unit ? `, ${form.unit}` : ''}`;
  if (form.type === 'array') return `list of ${form.items ? kindOf(form.items) : 'values'}`;
  if (form.type === 'boolean') return '`true` or `false`';
  return [form.type ?? 'any'].flat().join(' or ');
}

/** Limits that mean something; the largest safe integer is none. */
function limitsOf({ minimum, maximum, exclusiveMinimum }: Form): string {
  const least = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (least === undefined && most === undefined) return '';
  if (most === undefined) return ` from ${least}`;
  return ` ${least ?? ''} to ${most}`;
}
