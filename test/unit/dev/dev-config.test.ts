import { isAbsolute } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DevConfigError, readDevConfig } from '../../../dev/dev-config.ts';

describe('the environment of the embedded world', () => {
  test('needs nothing', () => {
    const config = readDevConfig({});
    expect(config).toMatchObject({
      apiPort: 3000,
      temporalPort: 7233,
      temporalUiPort: 8233,
      sqsPort: 4566,
      simulatorPort: 3900,
    });
    expect(config).toMatchObject({ realSqs: undefined, embeddedSimulator: true, publicUrl: 'http://127.0.0.1:3000' });
    expect(isAbsolute(config.dataDir)).toBe(true);
  });

  test('every bad variable is named at once, and none by its value', () => {
    const bad = {
      API_PORT: 'x',
      SQS_PORT: '70000',
      SIMULATOR: 'maybe',
      DATABASE_URL: 'mysql://',
      OPERATOR_KEYS: 'short-secret',
      QUOTA_SHARE: '7',
    };
    const read = (): unknown => readDevConfig(bad);
    expect(read).toThrow(DevConfigError);
    for (const name of Object.keys(bad)) expect(read).toThrow(new RegExp(`^${name}: `, 'm'));
    expect(read).not.toThrow(/short-secret/);
  });

  test.each(['SQS_ENDPOINT', 'AWS_ENDPOINT_URL_SQS', 'AWS_ACCESS_KEY_ID', 'AWS_PROFILE'])(
    '%s means a real SQS',
    (name) => {
      expect(readDevConfig({ [name]: 'http://127.0.0.1:9' }).realSqs).toBe(name);
      expect(readDevConfig({ [name]: '' }).realSqs).toBeUndefined();
    },
  );
});
