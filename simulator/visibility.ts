/**
 * Read-after-event lag: with a lag of N ms, what an event tells of can be read only N ms after the event. Whether
 * Gladly has such a lag is unknown (gladly.md 6.8), so clients have to live with it. Only the REST API looks through
 * this; the control API shows the truth. Kept in memory: after a restart everything can be read.
 */
export type Visibility = {
  setLag(lagMs: number): void;
  lagMs(): number;
  /**
   * @param previousBody the conversation as it was before the change, or null when it did not exist.
   * @param newLagMs the lag of a conversation that did not exist, when it is longer.
   */
  changed(conversationId: string, previousBody: string | null, itemIds: readonly string[], newLagMs: number): void;
  /** The conversation's body as it can be read now; undefined when it cannot. */
  conversation(id: string, currentBody: string | undefined): string | undefined;
  hidesItem(itemId: string): boolean;
};

export function createVisibility(): Visibility {
  let lagMs = 0;
  const conversations = new Map<string, { until: number; body: string | null }[]>();
  const items = new Map<string, number>();

  function forget(now: number): void {
    for (const [id, until] of items) {
      if (until > now) break;
      items.delete(id);
    }
    for (const [id, states] of conversations) {
      const left = states.filter((state) => state.until > now);
      if (left.length === 0) conversations.delete(id);
      else conversations.set(id, left);
    }
  }

  return {
    setLag: (milliseconds) => {
      lagMs = milliseconds;
    },
    lagMs: () => lagMs,
    changed: (conversationId, previousBody, itemIds, newLagMs) => {
      const ms = previousBody === null ? Math.max(lagMs, newLagMs) : lagMs;
      if (ms === 0) return;
      const now = Date.now();
      forget(now);
      const until = now + ms;
      conversations.set(conversationId, [...(conversations.get(conversationId) ?? []), { until, body: previousBody }]);
      for (const id of itemIds) items.set(id, until);
    },
    conversation: (id, currentBody) => {
      const now = Date.now();
      // The oldest change that still cannot be seen: the reader gets the state before it.
      const hidden = conversations.get(id)?.find((state) => state.until > now);
      return hidden === undefined ? currentBody : (hidden.body ?? undefined);
    },
    hidesItem: (itemId) => (items.get(itemId) ?? 0) > Date.now(),
  };
}
