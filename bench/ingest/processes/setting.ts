/** The settings that the parent passes in BENCH_SETTING. */
export interface Setting {
  readonly sqs: string;
  readonly databaseUrl: string;
  readonly transport: 'lean' | 'sdk';
  readonly tenants: readonly { readonly tenantId: string; readonly key: string; readonly queueUrl: string }[];
}

export const readSetting = (): Setting => JSON.parse(process.env['BENCH_SETTING'] ?? '') as Setting;
