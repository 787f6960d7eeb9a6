/** What the parent tells a server, in its environment. */
export interface Setting {
  readonly sqs: string;
  readonly databaseUrl: string;
  readonly transport: 'lean' | 'sdk';
  readonly tenants: readonly { readonly tenantId: string; readonly key: string; readonly queueUrl: string }[];
}

export const readSetting = (): Setting => JSON.parse(process.env['BENCH_SETTING'] ?? '') as Setting;
