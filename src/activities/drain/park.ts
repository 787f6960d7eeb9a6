/**
 * Parks a tenant unless something has come meanwhile; true when it is parked. Marked first, looked after: an event that came before the mark
 * is found by the look, and one that comes after it wakes the tenant (src/api/ingest/waker.ts).
 */
export async function park(mark: () => Promise<void>, look: () => Promise<boolean>): Promise<boolean> {
  await mark();
  return !(await look());
}
