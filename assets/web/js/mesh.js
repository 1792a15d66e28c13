// Everybody else in the room, and the link with each of them.

import { Link } from "./link.js";
import { parse } from "./signal-data.js";
import { cleanName } from "./text.js";

/** Most capability names that are kept of a peer. */
const CAPS_MAX = 16;

/** Least time between two links with the same peer: one that asks for ever new ones must not keep us busy. */
const BETWEEN_LINKS_MS = 1_000;

/**
 * Raises `joined` and `left` (detail: peer), and the links' events `connection`, `track`, `chat`, `state`, `dropped`, `problem` (detail:
 * `{peer, value}`). A peer is `{id, name, caps, link, number}`; `number` counts the attempts (see `signal-data.js`), `null` until the peer tells it.
 */
export class Mesh extends EventTarget {
  #peers = new Map();
  #attempts = new Map();
  #ownId = null;
  #iceServers = [];
  #media;
  #signaling;

  constructor(media, signaling) {
    super();
    this.#media = media;
    this.#signaling = signaling;
    media.addEventListener("track", ({ detail: { kind, track } }) => {
      for (const { link } of this.#peers.values()) link.setTrack(kind, track).catch(() => {});
    });
    media.addEventListener("state", () => {
      for (const { link } of this.#peers.values()) link.sendState();
    });
  }

  get peers() {
    return [...this.#peers.values()];
  }

  /** The room as the server has just told it. Links of an older id of ours are dead: the others see us as somebody new. */
  enter({ ownId, participants, iceServers }) {
    const present = new Set(participants.map(({ peerId }) => peerId));
    for (const id of [...this.#peers.keys()]) {
      if (ownId !== this.#ownId || !present.has(id)) this.remove(id);
    }
    if (ownId !== this.#ownId) this.#attempts.clear();
    this.#ownId = ownId;
    this.#iceServers = iceServers;
    for (const participant of participants) this.add(participant);
  }

  add({ peerId, displayName, caps }) {
    if (typeof peerId !== "string" || peerId === this.#ownId || this.#peers.has(peerId)) return;
    const names = Array.isArray(caps) ? caps.slice(0, CAPS_MAX) : [];
    const peer = { id: peerId, name: cleanName(displayName), caps: names, link: null, number: null, linkedAt: 0 };
    this.#peers.set(peerId, peer);
    this.#connect(peer, this.#isImpolite(peer));
    this.#raise("joined", peer);
    this.#audienceChanged();
  }

  remove(peerId) {
    const peer = this.#peers.get(peerId);
    if (!peer) return;
    this.#peers.delete(peerId);
    peer.link.close();
    this.#raise("left", peer);
    this.#audienceChanged();
  }

  clear() {
    for (const id of [...this.#peers.keys()]) this.remove(id);
    this.#ownId = null;
  }

  /** A `signal` of the server's. */
  signal({ from, data }) {
    const peer = this.#peers.get(from);
    const message = peer ? parse(data) : null;
    if (!message) return;
    const { link, ...rest } = message;
    const offer = rest.description?.type === "offer" ? rest.description : null;
    const otherNumber = link !== null && peer.number !== null && link !== peer.number;
    if (otherNumber && (this.#isImpolite(peer) || !offer)) return; // Of an attempt that is over.
    if (offer && (otherNumber || peer.link.isOfAnother(offer)) && !this.#relink(peer, false)) return;
    if (offer && link !== null && !this.#isImpolite(peer)) peer.number = link;
    peer.link.receive(rest);
  }

  /** Sends a chat line to everybody. Gives back how many could not be reached with it. */
  sendChat(text) {
    return this.peers.filter(({ link }) => !link.sendChat(text)).length;
  }

  /** The smaller id makes the first offer and is impolite. Compared by code unit, as every client does. */
  #isImpolite(peer) {
    return this.#ownId < peer.id;
  }

  /** Gives the link up for a new one; false when the last one is too young for that. */
  #relink(peer, initiator) {
    if (performance.now() - peer.linkedAt < BETWEEN_LINKS_MS) return false;
    peer.link.close();
    this.#connect(peer, initiator);
    this.#raise("connection", { peer, value: peer.link.connection });
    return true;
  }

  #connect(peer, initiator) {
    const impolite = this.#isImpolite(peer);
    if (impolite && initiator) {
      peer.number = (this.#attempts.get(peer.id) ?? 0) + 1;
      this.#attempts.set(peer.id, peer.number);
    }
    peer.linkedAt = performance.now();
    const link = new Link({
      impolite,
      initiator,
      control: peer.caps.includes("control"),
      iceServers: this.#iceServers,
      media: this.#media,
      send: (data) => {
        if (peer.link === link) this.#signaling.signal(peer.id, peer.number === null ? data : { ...data, link: peer.number });
      },
    });
    peer.link = link;
    const isCurrent = () => peer.link === link && this.#peers.get(peer.id) === peer;
    for (const type of ["connection", "track", "chat", "state", "dropped", "problem"]) {
      link.addEventListener(type, ({ detail }) => isCurrent() && this.#raise(type, { peer, value: detail }));
    }
    link.addEventListener("hopeless", () => isCurrent() && this.#relink(peer, true));
  }

  #audienceChanged() {
    this.#media.audience = this.#peers.size;
    for (const { link } of this.#peers.values()) link.limitVideo();
  }

  #raise(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
