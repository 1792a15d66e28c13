// The page of a room: preview, call, end. This is where the parts are put together; each of them knows nothing of the others.

import { ROOM_ID, roomUrl } from "./api.js";
import { Call } from "./call.js";
import { LocalMedia } from "./media.js";
import { Mesh } from "./mesh.js";
import { Playback } from "./playback.js";
import { Preview } from "./preview.js";
import { Signaling } from "./signaling.js";
import { banner, copyLink } from "./notices.js";
import { bindPickers, bindToggles, flip } from "./devices.js";
import { joinProblem } from "./errors.js";
import { keepScreenOn } from "./wake-lock.js";

const $ = (selector) => document.querySelector(selector);

const RECONNECTING = "The server is away. The call goes on; we reconnect as soon as it is back.";
const UNREACHABLE = "The server does not answer. We keep trying.";

export function start() {
  const roomId = new URLSearchParams(location.search).get("id") ?? "";
  if (!ROOM_ID.test(roomId)) {
    location.replace("./");
    return;
  }
  new RoomPage(roomId).begin();
}

class RoomPage {
  #roomId;
  #name = "";
  #media = new LocalMedia();
  #signaling = new Signaling();
  #mesh = new Mesh(this.#media, this.#signaling);
  #playback = new Playback($("#hear"));
  #call = new Call(this.#media, this.#mesh, this.#playback);
  #preview;

  constructor(roomId) {
    this.#roomId = roomId;
    $("#room-name").textContent = roomId;
    this.#preview = new Preview(this.#media, roomId);
  }

  begin() {
    bindToggles(this.#media);
    bindPickers(this.#media, this.#playback);
    this.#bindControls();
    this.#bindSignaling();
    this.#preview.addEventListener("join", ({ detail }) => this.#join(detail));
    this.#media.start();
  }

  get #phase() {
    return document.body.dataset.phase;
  }

  #show(phase) {
    document.body.dataset.phase = phase;
    for (const name of ["preview", "call", "ended"]) $(`#${name}`).hidden = name !== phase;
    this.#preview.show(phase === "preview");
    keepScreenOn(phase === "call");
  }

  #join({ name, password }) {
    this.#name = name;
    this.#signaling.join({ roomId: this.#roomId, displayName: name, password });
  }

  #bindControls() {
    for (const button of [$("#copy-link"), $("#invite")]) {
      button.addEventListener("click", () => copyLink(roomUrl(this.#roomId)));
    }
    $("#leave").addEventListener("click", () => this.#end("You left the room", ""));
    $("#settings-open").addEventListener("click", () => $("#settings").showModal());
    $("#again").addEventListener("click", () => {
      this.#show("preview");
      this.#preview.busy(false);
      this.#media.start();
    });
    document.addEventListener("keydown", (event) => this.#shortcut(event));
  }

  #shortcut(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, textarea, select, dialog")) return;
    const key = event.key.toLowerCase();
    if (key === "m" && this.#phase !== "ended") flip(this.#media, "audio");
    else if (key === "v" && this.#phase !== "ended") flip(this.#media, "video");
    else if (key === "c" && this.#phase === "call") this.#call.chat.show($("#chat").hidden);
    else return;
    event.preventDefault();
  }

  #bindSignaling() {
    const on = (type, listener) => this.#signaling.addEventListener(type, ({ detail }) => listener(detail));
    on("joined", (joined) => this.#joined(joined));
    on("refused", (error) => this.#refused(error));
    on("offline", () => (this.#phase === "call" ? banner(RECONNECTING) : this.#preview.busy(true, UNREACHABLE)));
    on("waiting", (error) => banner(joinProblem(error)));
    on("peer-joined", (participant) => this.#mesh.add(participant));
    on("peer-left", ({ peerId }) => this.#mesh.remove(peerId));
    on("signal", (signal) => this.#mesh.signal(signal));
    on("room-closed", () => this.#end("The room was closed", "Somebody deleted it while you were inside."));
  }

  #joined(joined) {
    banner("");
    if (this.#phase !== "call") this.#show("call");
    this.#call.enter(joined.ownId, this.#name);
    this.#mesh.enter(joined);
  }

  #refused(error) {
    if (this.#phase === "call") this.#end("You are no longer in the room", joinProblem(error));
    else this.#preview.refuse(error);
  }

  #end(title, text) {
    this.#signaling.leave();
    this.#mesh.clear();
    this.#call.leave();
    this.#media.stop();
    banner("");
    $("#ended-title").textContent = title;
    $("#ended-text").textContent = text;
    this.#show("ended");
    $("#ended-title").focus();
  }
}
