// The data channels of one link: `chat` carries plain strings, a line each way; `control` carries what `control.js` knows.

import { decode } from "./control.js";

/** Longest line that is taken from a peer, in UTF-16 units. */
const LINE_MAX = 65_536;

/** Most channels of one label that are listened to. Each side may open one by mistake; more is abuse. */
const CHANNELS_MAX = 4;

/** Most lines that a peer may send in one go, and how many more each second. What is more is dropped: a flood must not stop the page. */
const BURST_LINES = 40;
const LINES_PER_SECOND = 5;

/** Raises `chat` (detail: text), `state` (detail: `{microphone, camera}`), `dropped` (detail: reason) and `control-open`. */
export class Channels extends EventTarget {
  #pc;
  #chat = [];
  #control = [];
  #allowance = BURST_LINES;
  #refilled = performance.now();

  constructor(pc) {
    super();
    this.#pc = pc;
    pc.addEventListener("datachannel", ({ channel }) => this.#adopt(channel));
  }

  get hasChat() {
    return this.#chat.length > 0;
  }

  openChat() {
    this.#adopt(this.#pc.createDataChannel("chat"));
  }

  openControl() {
    this.#adopt(this.#pc.createDataChannel("control"));
  }

  /** Sends a line; false when the peer cannot be reached with it. */
  sendChat(text) {
    return trySend(this.#chat, text);
  }

  sendControl(text) {
    return trySend(this.#control, text);
  }

  #adopt(channel) {
    const channels = { chat: this.#chat, control: this.#control }[channel.label];
    if (!channels) return;
    if (channels.length >= CHANNELS_MAX) return channel.close();
    channels.push(channel);
    channel.addEventListener("close", () => channels.splice(channels.indexOf(channel), 1));
    if (channel.label === "chat") {
      channel.addEventListener("message", ({ data }) => this.#receiveChat(data));
    } else {
      channel.addEventListener("message", ({ data }) => this.#receiveControl(data));
      const open = () => this.dispatchEvent(new Event("control-open"));
      if (channel.readyState === "open") open();
      else channel.addEventListener("open", open);
    }
  }

  #receiveControl(data) {
    const message = decode(data);
    if (message) this.dispatchEvent(new CustomEvent("state", { detail: message }));
  }

  #receiveChat(data) {
    if (typeof data !== "string") return;
    if (data.length > LINE_MAX) return this.#drop("too-long");
    const now = performance.now();
    this.#allowance = Math.min(BURST_LINES, this.#allowance + ((now - this.#refilled) / 1000) * LINES_PER_SECOND);
    this.#refilled = now;
    if (this.#allowance < 1) return this.#drop("too-many");
    this.#allowance -= 1;
    this.dispatchEvent(new CustomEvent("chat", { detail: data }));
  }

  #drop(reason) {
    this.dispatchEvent(new CustomEvent("dropped", { detail: reason }));
  }
}

function trySend(channels, text) {
  const channel = channels.find(({ readyState }) => readyState === "open");
  if (!channel) return false;
  try {
    channel.send(text);
    return true;
  } catch {
    // The peer takes no message of this size, or the channel is just closing.
    return false;
  }
}
