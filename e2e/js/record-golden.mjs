// Records frames from the official parsers, as text that the codec's tests read:
//   node record-golden.mjs > ../../shared/tests/fixtures/golden.jsonl
// Each line is one case. Binary is base64.
import { encodePacket, encodePayload } from "engine.io-parser";
import { Encoder, PacketType } from "socket.io-parser";

const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const frame = (data) => (typeof data === "string" ? { text: data } : { binary: base64(data) });
const line = (value) => console.log(JSON.stringify(value));

const enginePackets = [
  { type: "open", data: '{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}' },
  { type: "close" },
  { type: "ping" },
  { type: "ping", data: "probe" },
  { type: "pong" },
  { type: "pong", data: "probe" },
  { type: "message", data: "hello" },
  { type: "message", data: "€ 𝄞 \n" },
  { type: "message", data: Buffer.from([]) },
  { type: "message", data: Buffer.from([0, 1, 2, 253, 254, 255]) },
  { type: "upgrade" },
  { type: "noop" },
];
for (const packet of enginePackets) {
  const data = typeof packet.data === "string" ? { text: packet.data } : packet.data && { binary: base64(packet.data) };
  encodePacket(packet, true, (encoded) => line({ engine: packet.type, data, frame: frame(encoded) }));
}
encodePayload(enginePackets, (payload) => line({ payload, packets: enginePackets.length }));

const one = Buffer.from([1, 2, 3]);
const two = Buffer.from("two");
const socketPackets = [
  { type: PacketType.CONNECT, nsp: "/" },
  { type: PacketType.CONNECT, nsp: "/", data: { token: "123" } },
  { type: PacketType.CONNECT, nsp: "/admin", data: { sid: "oSO0OpakMV_3jnilAAAA" } },
  { type: PacketType.DISCONNECT, nsp: "/" },
  { type: PacketType.DISCONNECT, nsp: "/admin" },
  { type: PacketType.CONNECT_ERROR, nsp: "/random", data: { message: "Invalid namespace" } },
  { type: PacketType.EVENT, nsp: "/", data: ["hello"] },
  { type: PacketType.EVENT, nsp: "/", data: ["hello", 1, "2", { 3: [true, null, 0.5] }] },
  { type: PacketType.EVENT, nsp: "/", data: ['quo"ted\\ ü\u0001\u2028', "line\nbreak \u001e 𝄞 \ud800"] },
  { type: PacketType.EVENT, nsp: "/admin", data: ["project:delete", 123], id: 12 },
  { type: PacketType.EVENT, nsp: "/", data: [1, 2] },
  { type: PacketType.ACK, nsp: "/", data: [], id: 0 },
  { type: PacketType.ACK, nsp: "/admin", data: ["ok", {}], id: 456 },
  { type: PacketType.EVENT, nsp: "/", data: ["binary", one] },
  { type: PacketType.EVENT, nsp: "/admin", data: ["binary", { deep: [one, two] }, "text"], id: 7 },
  { type: PacketType.ACK, nsp: "/", data: [two, one], id: 789 },
  {
    type: PacketType.EVENT,
    nsp: "/",
    data: ["signal", { to: "lv_VI97HAXpY6yYWAAAC", data: { description: { type: "offer", sdp: "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n" } } }],
  },
];
const encoder = new Encoder();
for (const packet of socketPackets) {
  const { type, nsp, id } = packet;
  const [text, ...binary] = encoder.encode({ ...packet });
  // The payload stays text: Rust's strings cannot hold the lone surrogate that one of them carries.
  const json = packet.data === undefined ? undefined : text.slice(text.search(/[[{]/));
  line({ socket: type, nsp, id, json, frames: [text, ...binary].map(frame) });
}
