// One person's tile: picture, name, microphone, and how the connection stands. What it shows is also there as `data-` attributes, which the style
// sheet reads.

import { hue, initials } from "./text.js";

const STATUS = {
  new: "Connecting…",
  connecting: "Connecting…",
  disconnected: "Connection lost. Trying again…",
  failed: "No connection. Trying again…",
};

const told = (value) => (value === null ? "unknown" : value ? "on" : "off");

export class Tile {
  element;
  video;
  #name = "";

  /** `own` is our picture: silent and mirrored. `source` is `camera`, or `extra` for a further picture of the same person. */
  constructor(peerId, name, { own = false, source = "camera" } = {}) {
    this.element = document.querySelector("#tile").content.firstElementChild.cloneNode(true);
    this.video = this.element.querySelector("video");
    this.video.srcObject = new MediaStream();
    this.video.muted = own || source === "extra";
    this.video.classList.toggle("mirror", own);
    this.element.toggleAttribute("data-own", own);
    Object.assign(this.element.dataset, { peerId, source, picture: "off" });
    this.video.addEventListener("resize", () => this.#reportShape());
    // A closer look at one person: the tile alone, on the whole screen.
    this.element.addEventListener("dblclick", () => toggleFullscreen(this.element));
    this.setName(name);
    this.setConnection(own ? "connected" : "new");
    this.setState({ microphone: null, camera: null });
    this.setPicture(false);
    this.setSpeaking(false);
  }

  setPeerId(peerId) {
    this.element.dataset.peerId = peerId;
  }

  setName(name) {
    this.#name = name;
    this.element.querySelector(".tile-name").textContent = name;
    this.element.querySelector(".tile-you").hidden = !this.element.hasAttribute("data-own");
    this.element.querySelector(".avatar span").textContent = initials(name);
    this.element.style.setProperty("--hue", hue(name));
    this.#describe();
  }

  setConnection(state) {
    this.element.dataset.connection = state;
    this.element.querySelector(".tile-status").textContent = STATUS[state] ?? "";
    this.#describe();
  }

  /** `null`: their client does not say. */
  setState({ microphone, camera }) {
    this.element.dataset.microphone = told(microphone);
    this.element.dataset.camera = told(camera);
    this.#describe();
  }

  /** Whether there is a picture to show; without one the initials are shown. */
  setPicture(shown) {
    this.element.dataset.picture = shown ? "on" : "off";
  }

  setSpeaking(speaking) {
    if (this.element.dataset.speaking === told(speaking)) return;
    this.element.dataset.speaking = told(speaking);
    this.#describe();
  }

  /** Adds a track to what the tile plays. */
  play(track) {
    const stream = this.video.srcObject;
    for (const other of stream.getTracks()) {
      if (other.readyState === "ended" && other.kind === track.kind) stream.removeTrack(other);
    }
    stream.addTrack(track);
  }

  /** Shows this camera track alone, or none. */
  showOwn(track) {
    this.video.srcObject = track ? new MediaStream([track]) : null;
    this.setPicture(track !== null);
  }

  #reportShape() {
    this.element.toggleAttribute("data-upright", this.video.videoHeight > this.video.videoWidth);
  }

  #describe() {
    const { connection, microphone, camera, speaking } = this.element.dataset;
    const you = this.element.hasAttribute("data-own") && "you";
    const off = (device, value) => value === "off" && `${device} off`;
    const parts = [this.#name, you, STATUS[connection], off("microphone", microphone), off("camera", camera), speaking === "on" && "speaking"];
    this.element.setAttribute("aria-label", parts.filter(Boolean).join(", "));
  }
}

function toggleFullscreen(element) {
  if (document.fullscreenElement) document.exitFullscreen();
  else element.requestFullscreen?.().catch(() => {});
}
