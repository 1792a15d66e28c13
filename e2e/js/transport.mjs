// The transport, spoken by the official socket.io-client to an echoing server: node transport.mjs URL v3|v4 default|polling|websocket
// The server answers `message` with `message-back` and acknowledgements, both with the same arguments; "leave" is answered with DISCONNECT.

import assert from "node:assert/strict";

const [url, version, transport] = process.argv.slice(2);
const { io } = await import(version === "v3" ? "socket.io-client-v3" : "socket.io-client");
const options = { forceNew: true, ...(transport === "default" ? {} : { transports: [transport] }) };
const once = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
const ask = (socket, ...args) => new Promise((resolve) => socket.emit("message", ...args, (...answer) => resolve(answer)));

const socket = io(url, { ...options, auth: { token: "abc" } });
socket.once("connect_error", (error) => assert.fail(error));
const auth = once(socket, "auth");
await once(socket, "connect");
assert.match(socket.id, /^[A-Za-z0-9_-]{20,22}$/);
assert.notEqual(socket.id, socket.io.engine.id);
assert.deepEqual(await auth, [{ token: "abc" }]);

// Sent while the client may be changing its transport.
const COUNT = 1000;
const received = [];
const all = new Promise((resolve) => {
  socket.on("message-back", (n) => {
    received.push(n);
    if (received.length === COUNT) resolve();
  });
});
for (let n = 0; n < COUNT; n++) {
  socket.emit("message", n);
  if (n % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}
await all;
assert.deepEqual(received, Array.from({ length: COUNT }, (_, n) => n));
socket.off("message-back");

if (transport === "default" && socket.io.engine.transport.name !== "websocket") await once(socket.io.engine, "upgrade");
assert.equal(socket.io.engine.transport.name, transport === "polling" ? "polling" : "websocket");

const values = [null, true, 0.5, "quo\"te \u0000 \u001e € 𝄞 \ud800", { deep: [{ er: [] }] }];
assert.deepEqual(await ask(socket, ...values), values);
assert.deepEqual(await ask(socket), []);
const large = "x".repeat(900_000);
assert.deepEqual(await ask(socket, large), [large]);
const bytes = Buffer.from([0, 1, 2, 254, 255]);
const [echo, { inside }] = await ask(socket, bytes, { inside: [bytes, "text"] });
assert.deepEqual(Buffer.from(echo), bytes);
assert.deepEqual(Buffer.from(inside[0]), bytes);
socket.emit("message", bytes);
assert.deepEqual(Buffer.from((await once(socket, "message-back"))[0]), bytes);

const custom = socket.io.socket("/custom");
await once(custom, "connect");
assert.notEqual(custom.id, socket.id);
assert.deepEqual(await ask(custom, 1), [1]);
const unknown = socket.io.socket("/unknown");
assert.equal((await once(unknown, "connect_error"))[0].message, "Invalid namespace");

const left = once(custom, "disconnect");
custom.emit("leave");
assert.equal((await left)[0], "io server disconnect");
assert.deepEqual(await ask(socket, 2), [2]);
// The connection closes with the last namespace; version 3 counts a refused one.
for (const each of [custom, unknown, socket]) each.disconnect();

// A message beyond the limit ends the connection, and the client comes back.
const huge = io(url, { ...options, reconnectionDelay: 10, reconnectionDelayMax: 10 });
await once(huge, "connect");
huge.emit("message", "x".repeat(1_100_000));
await once(huge, "disconnect");
await once(huge, "connect");
huge.disconnect();
