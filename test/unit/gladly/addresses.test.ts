import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../src/gladly/connect.ts';

describe('addresses we may connect to', () => {
  it.each(['8.8.8.8', '52.84.10.1', '172.32.0.1', '100.128.0.1', '2600:9000::1', '2a00:1450:4001::1'])(
    '%s is public',
    (it) => {
      expect(isPublicAddress(it)).toBe(true);
    },
  );

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1', // carrier-grade NAT
    '100.100.100.200', // metadata of Alibaba Cloud
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16', // Azure's wire server
    '169.254.169.254', // metadata of most clouds
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192', // metadata of Oracle Cloud
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1', // the old form of a compatible address
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:0:10.0.0.1',
    '64:ff9b::10.0.0.1', // NAT64
    '2002:7f00:1::', // 6to4 of 127.0.0.1
    '2001::1', // Teredo
    '2001:db8::1',
    'fc00::1',
    'fd00:ec2::254', // metadata of AWS
    'fe80::1',
    'fec0::1',
    'ff02::1',
    'not an address',
    '',
  ])('%s is not', (it) => {
    expect(isPublicAddress(it)).toBe(false);
  });
});
