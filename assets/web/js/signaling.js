// The session with the server: connect, join, and come back by itself after the connection was lost.

import { io } from "/socket.io/socket.io.esm.min.js";
import { passesByItself } from "./errors.js";

/** How long the server may take to answer `join-room`. */
const JOIN_TIMEOUT_MS = 10_000;

/** Pause before asking again to be let back in, and before reconnecting after the server closed the connection; jitter of up to as much. */
const RETRY_MS = 1_000;

/** What this client can do beyond the base contract. */
const CAPS = ["control"];

/**
 * Raises `joined` (detail: `{ownId, participants, iceServers}`; again after each reconnect), `refused` (detail: `{code, message}`; the session is
 * over), `offline` and `waiting` (detail: why we are not back in yet), `peer-joined`, `peer-left`, `signal`, `room-closed` (detail: payload).
 */
export class Signaling extends EventTarget {
  #socket;
  #request = null;
  #inside = false;
  #wasInside = false;
  #retryTimer = 0;

  constructor() {
    super();
    this.#socket = io({ autoConnect: false, auth: { recover: true }, reconnectionDelay: 500, reconnectionDelayMax: 4_000, timeout: 10_000 });
    this.#socket.on("connect", () => this.#connected());
    this.#socket.on("disconnect", (reason) => this.#disconnected(reason));
    this.#socket.on("connect_error", (error) => this.#connectFailed(error));
    for (const event of ["peer-joined", "peer-left", "signal"]) {
      this.#socket.on(event, (payload) => {
        if (this.#inside && payload && typeof payload === "object") this.#raise(event, payload);
      });
    }
    this.#socket.on("room-closed", (payload) => {
      this.#over();
      this.#raise("room-closed", payload ?? {});
    });
    // A tab that is closed or reloaded must not stay in the room until the server misses it.
    addEventListener("pagehide", () => this.#socket.disconnect());
  }

  /** Joins a room and stays in it, through reconnects, until `leave` or a refusal. */
  join({ roomId, displayName, password }) {
    this.#request = { roomId, displayName, caps: CAPS, ...(password ? { password } : {}) };
    if (this.#socket.connected) this.#join();
    else this.#socket.connect();
  }

  /** Sends `data` to a peer. While the server is away nothing is kept: ids change on a reconnect, and links are made anew. */
  signal(to, data) {
    if (this.#inside) this.#socket.emit("signal", { to, data });
  }

  leave() {
    if (this.#inside) this.#socket.emit("leave-room");
    this.#over();
    this.#socket.disconnect();
  }

  #over() {
    this.#request = null;
    this.#inside = this.#wasInside = false;
    clearTimeout(this.#retryTimer);
  }

  #connected() {
    // Recovered: same id, same room, and what we missed follows at once. The room is asked for again to see who is there now.
    this.#inside = this.#wasInside && this.#socket.recovered;
    this.#join();
  }

  #join() {
    clearTimeout(this.#retryTimer);
    const request = this.#request;
    if (!request) return;
    // A callback, not a promise: the packets right behind the answer must find us inside.
    this.#socket.timeout(JOIN_TIMEOUT_MS).emit("join-room", request, (late, answer) => {
      if (request !== this.#request || !this.#socket.connected) return;
      if (answer?.ok) this.#joined(answer);
      else this.#refused(late ? { code: "offline" } : (answer?.error ?? {}));
    });
  }

  #joined(answer) {
    this.#inside = this.#wasInside = true;
    const participants = answer.participants ?? answer.peers.map((peerId) => ({ peerId }));
    this.#raise("joined", { ownId: answer.peerId ?? this.#socket.id, participants, iceServers: answer.iceServers ?? [] });
  }

  #refused(error) {
    if (this.#wasInside && passesByItself(error)) {
      this.#raise("waiting", error);
      this.#retry(() => this.#join());
      return;
    }
    this.#over();
    this.#raise("refused", error);
  }

  #disconnected(reason) {
    this.#inside = false;
    if (!this.#request) return;
    this.#raise("offline");
    // After a close that the other side asked for, the client does not reconnect by itself; a server that restarts closes like that.
    if (reason === "io server disconnect") this.#retry(() => this.#socket.connect());
  }

  #connectFailed(error) {
    if (!this.#request) return;
    this.#raise("offline");
    // `active`: the client tries again by itself. Otherwise the server refused the connection as such, and says why.
    if (!this.#socket.active) this.#refused({ code: error.data?.code ?? "refused", message: error.message });
  }

  #retry(action) {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#request && action(), RETRY_MS * (1 + Math.random()));
  }

  #raise(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
