// The connection with one peer: its peer connection, our media on it, its data channels, and its repair.

import { Channels } from "./channels.js";
import { encodeState } from "./control.js";
import { Negotiation } from "./negotiation.js";
import { hasDataSection, otherConnection, receivingMids } from "./sdp.js";
import { describe, trickle } from "./signal-data.js";

const KINDS = ["audio", "video"];

/** How long a lost connection may come back by itself before ICE is restarted (it is `disconnected`), and how long a restart may take. */
const DISCONNECTED_GRACE_MS = 3_000;
const RESTART_EVERY_MS = 8_000;

/** The polite side leaves the restart to the other side for this long; a simple guest may not know how. */
const POLITE_PATIENCE_MS = 2_000;

/** Restarts after which the connection is given up for a new one. */
const RESTARTS_MAX = 4;

/** How long the peer may take for a first offer that is its to make. After that we make one: it may disagree about who does. */
const OFFER_PATIENCE_MS = 8_000;

/** How long we wait for a peer with the smaller id to open its chat channel, once data channels are negotiated. */
const CHAT_PATIENCE_MS = 2_000;

/**
 * Raises `connection` (detail: `RTCPeerConnectionState`), `track` (detail: `{kind, mid, track}`), `chat`, `state`, `dropped` (see `Channels`),
 * `problem` (detail: error), and `hopeless` (a new link should be made, with us as its initiator).
 */
export class Link extends EventTarget {
  #pc;
  #media;
  #send;
  #negotiation;
  #channels;
  #impolite;
  #initiator;
  #transceivers = { audio: null, video: null };
  #settled = false;
  #restarts = 0;
  #repairTimer = 0;
  #offerTimer = 0;
  #chatTimer = 0;

  /**
   * @param {object} options `impolite` (our id is the smaller one), `initiator` (we make the first offer and open the channels; the same, but
   *   where the peer disagrees), `control` (the peer's caps name it), `iceServers`, `media` (`LocalMedia`), `send(data)`
   */
  constructor({ impolite, initiator, control, iceServers, media, send }) {
    super();
    this.#impolite = impolite;
    this.#initiator = initiator;
    this.#media = media;
    this.#send = send;
    this.#pc = new RTCPeerConnection({ iceServers });
    this.#channels = new Channels(this.#pc);
    this.#negotiation = new Negotiation(
      this.#pc,
      { impolite, initiator },
      {
        send: (description) => this.#send(describe(description)),
        beforeAnswer: (sdp) => this.#attach(sdp),
        afterExchange: () => this.#exchanged(),
        failed: (error) => this.#raise("problem", error),
      },
    );
    this.#listen();
    if (initiator) this.#open(control);
    else this.#offerTimer = setTimeout(() => this.#raise("hopeless"), OFFER_PATIENCE_MS);
  }

  get connection() {
    return this.#pc.connectionState;
  }

  /** How loud the peer is at the moment, from 0 to 1; 0 where the browser does not tell. */
  get loudness() {
    const receivers = this.#pc.getReceivers().filter(({ track }) => track.kind === "audio");
    const sources = receivers.flatMap((receiver) => receiver.getSynchronizationSources?.() ?? []);
    return Math.max(0, ...sources.map(({ audioLevel }) => audioLevel ?? 0));
  }

  /** Whether this offer comes from another peer connection than the one that we are linked with. */
  isOfAnother(offer) {
    return otherConnection(this.#pc.remoteDescription?.sdp ?? "", offer.sdp);
  }

  /** Takes what the peer sent: `{description}` or `{candidate}`. */
  receive(message) {
    if (message.description?.type === "offer") clearTimeout(this.#offerTimer);
    this.#negotiation.receive(message);
  }

  /** Puts our new track of this kind (or `null`) on the wire. Negotiates only if the peer has no line for it yet. */
  async setTrack(kind, track) {
    const transceiver = this.#transceivers[kind];
    if (transceiver) {
      await transceiver.sender.replaceTrack(track);
      if (kind === "video") await this.#limitVideo();
    } else if (track && this.#settled) {
      this.#transceivers[kind] = this.#pc.addTransceiver(track, { streams: [this.#media.stream] });
    }
  }

  /** Lowers or raises what our camera costs on this link (see `LocalMedia.videoLimits`). */
  limitVideo() {
    return this.#limitVideo().catch(() => {});
  }

  sendChat(text) {
    return this.#channels.sendChat(text);
  }

  sendState() {
    this.#channels.sendControl(encodeState(this.#media.state));
  }

  /** What arrives of the peer's camera, as a count that grows while pictures come. */
  async framesReceived() {
    let frames = 0;
    for (const report of (await this.#pc.getStats()).values()) {
      if (report.type === "inbound-rtp" && report.kind === "video") frames += report.framesDecoded ?? 0;
    }
    return frames;
  }

  close() {
    clearTimeout(this.#repairTimer);
    clearTimeout(this.#offerTimer);
    clearTimeout(this.#chatTimer);
    this.#negotiation.close();
    this.#pc.close();
  }

  #listen() {
    this.#pc.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.candidate) this.#send(trickle(candidate));
    });
    this.#pc.addEventListener("connectionstatechange", () => this.#connectionChanged());
    this.#pc.addEventListener("track", ({ track, transceiver }) =>
      this.#raise("track", { kind: track.kind, mid: transceiver.mid, track }),
    );
    this.#channels.addEventListener("control-open", () => this.sendState());
    for (const type of ["chat", "state", "dropped"]) {
      this.#channels.addEventListener(type, ({ detail }) => this.#raise(type, detail));
    }
  }

  /** Audio, video, application, in this order and with one msid: what the simplest guest's page expects of a first offer. */
  #open(control) {
    for (const kind of KINDS) {
      this.#transceivers[kind] = this.#pc.addTransceiver(this.#media.track(kind) ?? kind, {
        direction: "sendrecv",
        streams: [this.#media.stream],
      });
    }
    this.#channels.openChat();
    if (control) this.#channels.openControl();
  }

  /** Puts our media on the lines of an offer that want to receive it. */
  async #attach(sdp) {
    for (const kind of KINDS) {
      const ours = this.#transceivers[kind];
      if (ours?.mid) continue;
      // Made for an offer that was rolled back: the peer never saw it.
      ours?.stop();
      this.#transceivers[kind] = null;
      const mids = receivingMids(sdp, kind);
      const transceiver = this.#pc.getTransceivers().find(({ mid, stopped }) => !stopped && mids.includes(mid));
      if (!transceiver) continue;
      this.#transceivers[kind] = transceiver;
      transceiver.direction = "sendrecv";
      transceiver.sender.setStreams?.(this.#media.stream);
      await transceiver.sender.replaceTrack(this.#media.track(kind));
    }
  }

  async #exchanged() {
    this.#settled = true;
    for (const kind of KINDS) {
      if (!this.#transceivers[kind]) await this.setTrack(kind, this.#media.track(kind));
    }
    await this.#limitVideo();
  }

  async #limitVideo() {
    const sender = this.#transceivers.video?.sender;
    if (!sender?.track) return;
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    Object.assign(parameters.encodings[0], this.#media.videoLimits());
    // A browser may refuse while it negotiates; the next exchange tries again.
    await sender.setParameters(parameters).catch(() => {});
  }

  #connectionChanged() {
    const state = this.#pc.connectionState;
    clearTimeout(this.#repairTimer);
    if (state === "connected") {
      this.#restarts = 0;
      this.#ensureChat();
    }
    if (state === "disconnected") this.#repairIn(DISCONNECTED_GRACE_MS);
    if (state === "failed") this.#repairIn(0);
    this.#raise("connection", state);
  }

  #repairIn(delay) {
    this.#repairTimer = setTimeout(() => this.#repair(), delay + (this.#impolite ? 0 : POLITE_PATIENCE_MS));
  }

  #repair() {
    const state = this.#pc.connectionState;
    if (state === "connected" || state === "closed") return;
    this.#restarts += 1;
    // The polite side leaves a new connection to the other one, which numbers it.
    if (this.#restarts > RESTARTS_MAX && this.#impolite) return this.#raise("hopeless");
    this.#pc.restartIce();
    this.#repairIn(RESTART_EVERY_MS);
  }

  /** The side with the smaller id opens the chat; when that is a guest who opens none, we do. */
  #ensureChat() {
    if (this.#initiator || this.#channels.hasChat) return;
    const wait = hasDataSection(this.#pc.remoteDescription?.sdp ?? "") ? CHAT_PATIENCE_MS : 0;
    clearTimeout(this.#chatTimer);
    this.#chatTimer = setTimeout(() => {
      if (!this.#channels.hasChat && this.#pc.connectionState !== "closed") this.#channels.openChat();
    }, wait);
  }

  #raise(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
