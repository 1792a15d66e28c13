// The contract of the signaling server, spoken by the official socket.io-client: node contract.mjs URL v3|v4 default|polling|websocket

import assert from "node:assert/strict";

const [url, version, transport] = process.argv.slice(2);
const { io } = await import(version === "v3" ? "socket.io-client-v3" : "socket.io-client");
const options = { forceNew: true, ...(transport === "default" ? {} : { transports: [transport] }) };
const api = `${url}/api/rooms`;

/** A client that keeps every event, in order. */
class Client {
  events = [];
  #wake = () => {};

  constructor() {
    this.socket = io(url, options);
    const names = ["peers", "peer-joined", "peer-left", "signal", "join-error", "signal-error", "room-closed", "event-error", "disconnect"];
    for (const name of names) {
      this.socket.on(name, (...args) => {
        this.events.push([name, ...args]);
        this.#wake();
      });
    }
  }

  static async connect() {
    const client = new Client();
    await new Promise((resolve, reject) => {
      client.socket.once("connect", resolve);
      client.socket.once("connect_error", reject);
    });
    return client;
  }

  get id() {
    return this.socket.id;
  }

  /** The next event, which must be this one with exactly one argument. */
  async next(name) {
    while (this.events.length === 0) await new Promise((resolve) => (this.#wake = resolve));
    const [got, ...args] = this.events.shift();
    assert.equal(got, name, JSON.stringify(args));
    assert.equal(args.length, 1, `${name} has one argument`);
    return args[0];
  }

  ask(name, ...args) {
    return new Promise((resolve) => this.socket.emit(name, ...args, resolve));
  }

  async join(roomId, displayName, more = {}) {
    const answer = await this.ask("join-room", { roomId, displayName, ...more });
    assert.equal(answer.ok, true, JSON.stringify(answer));
    return answer;
  }

  /** Shows that no event is waiting: whatever was sent before the answer would be here. */
  async quiet() {
    assert.equal((await this.ask("leave-nothing")).error.code, "unknown-event");
    assert.deepEqual(this.events, []);
  }
}

const post = (body) =>
  fetch(api, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const room = (name) => `${name}-${version}-${transport}`;

const tests = {
  async "joining tells the newcomer who is there and the others who came"() {
    const [ada, bo] = [await Client.connect(), await Client.connect()];
    const alone = await ada.join(room("join"), "  Ada \u202e");
    assert.equal(alone.peerId, ada.id);
    assert.deepEqual(alone.peers, []);
    assert.ok(Array.isArray(alone.iceServers));
    assert.deepEqual(await ada.next("peers"), { peers: [], participants: [] });
    const answer = await bo.join(room("join"), "Bo", { caps: ["control"] });
    // `peers` came before the answer.
    assert.equal(bo.events.length, 1);
    const peers = await bo.next("peers");
    assert.deepEqual(peers.peers, [ada.id]);
    assert.deepEqual(peers.participants, [{ peerId: ada.id, displayName: "Ada", caps: [] }]);
    assert.deepEqual(answer.peers, peers.peers);
    assert.deepEqual(await ada.next("peer-joined"), { peerId: bo.id, displayName: "Bo", caps: ["control"] });
    // Joining again answers again and changes nothing.
    assert.deepEqual((await bo.join(room("join"), "Somebody else")).peers, [ada.id]);
    assert.deepEqual(await bo.next("peers"), peers);
    await ada.quiet();
    const shown = await (await fetch(`${api}/${room("join")}`)).json();
    assert.deepEqual(shown.peers, [{ peerId: ada.id, displayName: "Ada" }, { peerId: bo.id, displayName: "Bo" }]);
    return [ada, bo];
  },

  async "signals arrive whole, in order, and only at their addressee"() {
    const [ada, bo, cy] = [await Client.connect(), await Client.connect(), await Client.connect()];
    for (const client of [ada, bo, cy]) {
      await client.join(room("signal"), "x");
      await client.next("peers");
    }
    for (const _ of [1, 2]) await ada.next("peer-joined");
    await bo.next("peer-joined");
    const description = { type: "offer", sdp: `v=0\r\na=\u{1f600}é\u2028 ${"x".repeat(3000)}\r\n` };
    ada.socket.emit("signal", { to: bo.id, data: { description } });
    assert.deepEqual(await bo.next("signal"), { from: ada.id, data: { description } });
    for (let number = 0; number < 2000; number++) {
      bo.socket.emit("signal", { to: ada.id, data: { candidate: { candidate: `candidate:${number}`, sdpMid: "0", sdpMLineIndex: 0 } } });
    }
    bo.socket.emit("signal", { to: ada.id, data: { candidate: null } });
    for (let number = 0; number < 2000; number++) {
      const { from, data } = await ada.next("signal");
      assert.equal(from, bo.id);
      assert.equal(data.candidate.candidate, `candidate:${number}`);
    }
    assert.deepEqual(await ada.next("signal"), { from: bo.id, data: { candidate: null } });
    assert.deepEqual(await bo.ask("signal", { to: ada.id, data: 1 }), { ok: true });
    await cy.quiet();
    return [ada, bo, cy];
  },

  async "a signal to somebody outside the room fails for its sender alone"() {
    const [ada, bo] = [await Client.connect(), await Client.connect()];
    ada.socket.emit("signal", { to: bo.id, data: 1 });
    assert.equal((await ada.next("signal-error")).code, "not-in-room");
    await ada.join(room("here"), "Ada");
    await bo.join(room("there"), "Bo");
    await ada.next("peers");
    await bo.next("peers");
    ada.socket.emit("signal", { to: bo.id, data: 1 });
    const error = await ada.next("signal-error");
    assert.deepEqual([error.to, error.code], [bo.id, "peer-not-found"]);
    assert.equal((await ada.ask("signal", { to: "nobody", data: 1 })).error.code, "peer-not-found");
    await bo.quiet();
    return [ada, bo];
  },

  async "leaving, moving and disconnecting are told to the others"() {
    const [ada, bo] = [await Client.connect(), await Client.connect()];
    await ada.join(room("leave"), "Ada");
    await ada.next("peers");
    const id = bo.id;
    for (const leave of [() => bo.ask("leave-room"), () => bo.ask("leave-room", { any: "thing" }), () => bo.join(room("other"), "Bo"), () => bo.socket.disconnect()]) {
      await bo.join(room("leave"), "Bo");
      await ada.next("peer-joined");
      await leave();
      assert.equal((await ada.next("peer-left")).peerId, id);
    }
    assert.deepEqual(await ada.ask("leave-room"), { ok: true });
    assert.deepEqual(await ada.ask("leave-room"), { ok: true });
    assert.equal((await fetch(`${api}/${room("leave")}`)).status, 404);
    return [ada, bo];
  },

  async "capacity and passwords keep people out, with a reason"() {
    const id = room("small");
    assert.equal((await post({ id, capacity: 1, password: "sésame" })).status, 201);
    const [ada, bo] = [await Client.connect(), await Client.connect()];
    const refused = async (join) => (await bo.ask("join-room", { roomId: id, ...join })).error.code;
    assert.equal(await refused({}), "password-required");
    assert.equal(await refused({ password: "sesame" }), "wrong-password");
    await ada.join(id, "Ada", { password: "sésame" });
    assert.equal(await refused({ password: "sésame" }), "room-full");
    bo.socket.emit("join-room", { roomId: id, password: "sésame" });
    assert.equal((await bo.next("join-error")).code, "room-full");
    const listed = await (await fetch(`${api}/${id}`)).json();
    assert.deepEqual([listed.locked, listed.participants, listed.peers], [true, 1, []]);
    return [ada, bo];
  },

  async "deleting a room tells everybody inside"() {
    const id = room("closing");
    await post({ id });
    const [ada, bo] = [await Client.connect(), await Client.connect()];
    for (const client of [ada, bo]) {
      await client.join(id, "x");
      await client.next("peers");
    }
    await ada.next("peer-joined");
    assert.equal((await fetch(`${api}/${id}`, { method: "DELETE" })).status, 204);
    for (const client of [ada, bo]) assert.equal((await client.next("room-closed")).roomId, id);
    assert.equal((await ada.ask("signal", { to: bo.id, data: 1 })).error.code, "not-in-room");
    return [ada, bo];
  },

  async "the transport is the one that was asked for"() {
    const client = await Client.connect();
    const engine = client.socket.io.engine;
    if (transport === "default") {
      if (engine.transport.name !== "websocket") await new Promise((resolve) => engine.once("upgrade", resolve));
      assert.equal(engine.transport.name, "websocket");
    } else {
      assert.equal(engine.transport.name, transport);
    }
    assert.notEqual(engine.id, client.id, "the session's id stays a secret");
    return [client];
  },
};

for (const [name, test] of Object.entries(tests)) {
  try {
    for (const client of await test()) client.socket.disconnect();
    console.log(`ok: ${name}`);
  } catch (error) {
    console.error(`FAILED: ${name} (${version}, ${transport})\n${error.stack}`);
    process.exit(1);
  }
}
process.exit(0);
