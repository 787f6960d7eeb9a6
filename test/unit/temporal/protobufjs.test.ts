import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/**
 * @temporalio/common reads histories from JSON with its copy of protobufjs and @temporalio/proto's messages; when those were made by another
 * copy it throws "type must be a Type". @grpc/proto-loader asks for an older protobufjs than they do, and npm hoists only one of the two:
 * hence the override in package.json.
 */
it('protobufjs is installed once', () => {
  const lock: { readonly packages: object } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../package-lock.json'), 'utf8'),
  );
  const copies = Object.keys(lock.packages).filter((path) => /(^|\/)node_modules\/protobufjs$/.test(path));
  expect(copies).toEqual(['node_modules/protobufjs']);
});
