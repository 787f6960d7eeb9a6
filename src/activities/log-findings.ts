import type { TenantId } from '../contracts/tenant.ts';
import type { FindingsChange } from '../store/tenant-states.ts';
import type { Logger } from '../telemetry/log.ts';

/** What was found, and what is over, in the log. */
export function logFindings(log: Logger, tenantId: TenantId, change: FindingsChange | null): void {
  for (const { code, params } of change?.raised ?? []) {
    log.error({ event: 'tenant.finding_raised', tenantId, code, params }, 'tenant: somebody has to look');
  }
  for (const code of change?.withdrawn ?? []) {
    log.info({ event: 'tenant.finding_withdrawn', tenantId, code }, 'tenant: what was found is over');
  }
}
