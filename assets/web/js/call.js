// The screen of the call: turns what the mesh and our own devices tell into tiles, chat lines and notices.

import { Chat } from "./chat.js";
import { deviceProblem } from "./errors.js";
import { Grid } from "./grid.js";
import { Tile } from "./tile.js";
import { cleanName } from "./text.js";
import { toast } from "./notices.js";

/** How often it is looked whether pictures of those come whose client does not say that its camera is on. */
const WATCH_MS = 1_500;

/** How often it is listened who speaks, from which loudness on (0 to 1) sound is a voice, and how long a pause within a sentence is. */
const LISTEN_MS = 150;
const VOICE = 0.01;
const PAUSE_MS = 500;

const ANNOUNCED = { "too-long": "A message that was too long was left out.", "too-many": "Messages were left out: too many at once." };

export class Call {
  #media;
  #mesh;
  #playback;
  #chat;
  #grid = document.querySelector("#grid");
  /** By peer id: `{tile, extras: Map<mid, Tile>, cameraMid, state, frames, dropped, spoke}`. */
  #views = new Map();
  #own = null;
  #watchTimer = 0;
  #listenTimer = 0;

  constructor(media, mesh, playback) {
    this.#media = media;
    this.#mesh = mesh;
    this.#playback = playback;
    this.#chat = new Chat((text) => mesh.sendChat(text));
    new Grid(this.#grid);
    this.#listen();
  }

  get chat() {
    return this.#chat;
  }

  /** We are in the room (again, after a reconnect) under this id. */
  enter(ownId, name) {
    if (!this.#own) {
      this.#own = new Tile(ownId, cleanName(name), { own: true });
      this.#grid.append(this.#own.element);
      this.#watchTimer = setInterval(() => this.#watch(), WATCH_MS);
      this.#listenTimer = setInterval(() => this.#hear(), LISTEN_MS);
    }
    this.#own.setPeerId(ownId);
    this.#showOwn();
  }

  /** Takes everything down. */
  leave() {
    clearInterval(this.#watchTimer);
    clearInterval(this.#listenTimer);
    this.#own?.element.remove();
    this.#own = null;
    this.#chat.clear();
  }

  #listen() {
    const mesh = this.#mesh;
    for (const type of ["track", "state"]) this.#media.addEventListener(type, () => this.#showOwn());
    this.#media.addEventListener("problem", ({ detail: { kind, error } }) => this.#own && toast(deviceProblem(kind, error)));
    mesh.addEventListener("joined", ({ detail: peer }) => this.#joined(peer));
    mesh.addEventListener("left", ({ detail: peer }) => this.#left(peer));
    mesh.addEventListener("track", ({ detail: { peer, value } }) => this.#track(peer, value));
    mesh.addEventListener("connection", ({ detail: { peer, value } }) => this.#views.get(peer.id)?.tile.setConnection(value));
    mesh.addEventListener("state", ({ detail: { peer, value } }) => this.#state(peer, value));
    mesh.addEventListener("chat", ({ detail: { peer, value } }) => this.#chat.receive(peer.id, peer.name, value));
    mesh.addEventListener("dropped", ({ detail: { peer, value } }) => this.#dropped(peer, value));
    mesh.addEventListener("problem", ({ detail: { peer, value } }) => console.warn("negotiation with", peer.id, "failed:", value));
  }

  #joined(peer) {
    const tile = new Tile(peer.id, peer.name);
    this.#views.set(peer.id, { tile, extras: new Map(), cameraMid: null, state: null, frames: 0, dropped: false, spoke: -Infinity });
    this.#grid.append(tile.element);
    this.#playback.add(tile.video);
    // The chat log is read out to those who do not see the tiles come and go.
    this.#chat.note(`${peer.name} is here`);
  }

  #left(peer) {
    const view = this.#views.get(peer.id);
    this.#views.delete(peer.id);
    for (const tile of [view.tile, ...view.extras.values()]) {
      this.#playback.remove(tile.video);
      tile.element.remove();
    }
    this.#chat.note(`${peer.name} has left`);
  }

  #track(peer, { kind, mid, track }) {
    const view = this.#views.get(peer.id);
    if (kind === "audio") {
      view.tile.play(track);
    } else if (view.cameraMid === null || view.cameraMid === mid) {
      view.cameraMid = mid;
      view.tile.play(track);
      view.tile.video.addEventListener("loadeddata", () => this.#showPicture(view));
    } else {
      this.#extra(peer, view, mid, track);
    }
    this.#playback.add(view.tile.video);
  }

  /** A further picture, such as a screen: a tile of its own while it is sent. */
  #extra(peer, view, mid, track) {
    const tile = new Tile(peer.id, peer.name, { source: "extra" });
    tile.setConnection("connected");
    tile.setPicture(true);
    tile.play(track);
    view.extras.set(mid, tile);
    const show = () => (track.muted ? tile.element.remove() : this.#grid.append(tile.element));
    track.addEventListener("mute", show);
    track.addEventListener("unmute", show);
    show();
    this.#playback.add(tile.video);
  }

  #state(peer, state) {
    const view = this.#views.get(peer.id);
    view.state = state;
    view.tile.setState(state);
    this.#showPicture(view);
  }

  #showPicture(view, flowing = view.tile.element.dataset.picture === "on") {
    const arrived = view.tile.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    view.tile.setPicture(arrived && (view.state ? view.state.camera : flowing));
  }

  /** Marks those who speak. */
  #hear() {
    const now = performance.now();
    for (const peer of this.#mesh.peers) {
      const view = this.#views.get(peer.id);
      if (!view) continue;
      if (peer.link.loudness >= VOICE) view.spoke = now;
      view.tile.setSpeaking(view.state?.microphone !== false && now - view.spoke < PAUSE_MS);
    }
  }

  /** Their client does not tell whether the camera is on: the pictures that come tell it. */
  async #watch() {
    for (const peer of this.#mesh.peers) {
      const view = this.#views.get(peer.id);
      if (!view || view.state) continue;
      const frames = await peer.link.framesReceived().catch(() => 0);
      this.#showPicture(view, frames > view.frames);
      view.frames = frames;
    }
  }

  #dropped(peer, reason) {
    const view = this.#views.get(peer.id);
    if (view.dropped) return;
    view.dropped = true;
    this.#chat.note(`${peer.name}: ${ANNOUNCED[reason]}`);
  }

  #showOwn() {
    if (!this.#own) return;
    this.#own.setState(this.#media.state);
    this.#own.showOwn(this.#media.isOn("video") ? this.#media.track("video") : null);
  }
}
