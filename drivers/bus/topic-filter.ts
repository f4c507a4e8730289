/**
 * Which topics a subscription takes.
 *
 * @see MQTT 5.0 section 4.7 (wildcards), section 4.8.2 (shared subscriptions)
 */

export interface TopicFilter {
  /** The group of a shared subscription: each message goes to one of its members. */
  readonly group: string | null;
  readonly levels: readonly string[];
}

/** `$share/gateways/holdfast/v1/req/+/open` is the filter `holdfast/v1/req/+/open` in the group `gateways`. */
export function parseFilter(filter: string): TopicFilter {
  const levels = filter.split('/');
  return levels[0] === '$share'
    ? { group: levels[1] ?? '', levels: levels.slice(2) }
    : { group: null, levels };
}

export function matches(filter: TopicFilter, topic: string): boolean {
  const names = topic.split('/');
  // MQTT 5.0 section 4.7.2: a wildcard in the first level takes no topic of the broker's own.
  if (topic.startsWith('$') && /^[+#]$/.test(filter.levels[0] ?? '')) return false;
  for (const [i, level] of filter.levels.entries()) {
    if (level === '#') return names.length >= i;
    if (names[i] === undefined || (level !== '+' && level !== names[i])) return false;
  }
  return names.length === filter.levels.length;
}
