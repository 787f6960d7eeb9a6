import type { Payload } from '@temporalio/common';
import protobuf from 'protobufjs';

/** temporal.api.common.v1.Payload as it goes over the wire: every language's SDK seals these same bytes. */
const wire = new protobuf.Type('Payload')
  .add(new protobuf.MapField('metadata', 1, 'string', 'bytes'))
  .add(new protobuf.Field('data', 2, 'bytes'));

export function payloadToBytes(payload: Payload): Uint8Array {
  return wire.encode(wire.fromObject({ metadata: payload.metadata ?? {}, data: payload.data ?? [] })).finish();
}

/** Throws what protobufjs throws for bytes that are no payload. */
export function payloadFromBytes(bytes: Uint8Array): Payload {
  // `bytes: Array` is not set: protobufjs answers Buffers in Node, which are the Uint8Arrays that the SDK wants.
  const { metadata, data } = wire.toObject(wire.decode(bytes), { defaults: true });
  return { metadata, data };
}
