// Our own microphone and camera.
//
// `wanted` is what the person asked for; only the person changes it, never a reconnect or a device. Muting disables the microphone's track
// (it comes back at once); switching the camera off releases it, so that its light goes out.

import { settings } from "./settings.js";

const KINDS = ["audio", "video"];
const SETTING = { audio: "microphone", video: "camera" };

/** Height in pixels up to which a picture is sent as it is. */
const SMALL_HEIGHT = 360;

/** What a browser pays for each further viewer is a whole encoder, so the picture shrinks with the audience: [viewers, height, bit/s]. */
const VIDEO_BY_AUDIENCE = [
  [1, 720, 2_000_000],
  [3, 480, 900_000],
  [Infinity, 360, 500_000],
];

/**
 * Raises `track` (detail: `{kind, track}`; the track to send, or `null`), `state` (what `state` tells has changed), `problem` (detail: `{kind,
 * error}`) and `devices` (the devices that can be chosen have changed).
 */
export class LocalMedia extends EventTarget {
  /** Only names our tracks on the wire (one msid for both); it never holds them. */
  stream = new MediaStream();
  /** How many peers watch. */
  audience = 0;
  #inputs = { audio: newInput(), video: newInput() };

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#raise("devices"));
  }

  /** On or off, as others shall see it. */
  get state() {
    return { microphone: this.isOn("audio"), camera: this.isOn("video") };
  }

  isOn(kind) {
    return this.#inputs[kind].wanted && this.#inputs[kind].track !== null;
  }

  /** The track to send, or `null`. */
  track(kind) {
    return this.#inputs[kind].track;
  }

  /** Why there is no track though one is wanted, or `null`. */
  problem(kind) {
    return this.#inputs[kind].error;
  }

  /** Opens the devices that are wanted; asks for both at once, so that the person answers one question. */
  async start() {
    const kinds = KINDS.filter((kind) => kind === "audio" || this.#inputs.video.wanted);
    const tracks = await getTracks(kinds).catch(() => null);
    if (tracks) for (const kind of kinds) this.#put(kind, tracks[kind]);
    else await Promise.all(kinds.map((kind) => this.#change(kind, () => this.#open(kind))));
    // Switched off while the person was being asked.
    if (!this.#inputs.video.wanted) this.#put("video", null);
    this.#raise("devices");
  }

  set(kind, on) {
    return this.#change(kind, async () => {
      const input = this.#inputs[kind];
      input.wanted = on;
      if (on && !input.track) await this.#open(kind);
      else if (kind === "video" && !on) this.#put(kind, null);
      else if (input.track) input.track.enabled = on;
      this.#raise("state");
    });
  }

  /** Uses this device from now on (`""`: the browser's choice). */
  choose(kind, deviceId) {
    settings.set(SETTING[kind], deviceId);
    return this.#change(kind, async () => {
      if (this.#inputs[kind].track || this.#inputs[kind].error) await this.#open(kind);
    });
  }

  /** Opens the microphone again after its processing was changed (see `originalSound`). */
  reopenMicrophone() {
    return this.#change("audio", async () => {
      if (this.#inputs.audio.track) await this.#open("audio");
    });
  }

  /** The devices that can be chosen: `{audioinput, videoinput, audiooutput}`, each a list of `{id, label}`. */
  async devices() {
    const found = { audioinput: [], videoinput: [], audiooutput: [] };
    for (const { kind, deviceId, label } of (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? []) {
      if (deviceId && deviceId !== "default" && deviceId !== "communications") found[kind]?.push({ id: deviceId, label });
    }
    return found;
  }

  /** How our picture is encoded for one viewer (members of `RTCRtpEncodingParameters`). */
  videoLimits() {
    const height = Math.min(...Object.values(pickSize(this.track("video"))));
    const [, most, maxBitrate] = VIDEO_BY_AUDIENCE.find(([viewers]) => this.audience <= viewers);
    const scaleResolutionDownBy = height > SMALL_HEIGHT ? Math.max(1, height / most) : 1;
    return { scaleResolutionDownBy, maxBitrate };
  }

  stop() {
    for (const kind of KINDS) this.#put(kind, null);
  }

  /** One change of a device at a time: fast clicks end in the state of the last one. */
  #change(kind, action) {
    const input = this.#inputs[kind];
    input.queue = input.queue.then(action, action);
    return input.queue;
  }

  async #open(kind) {
    // Phones open only one camera at a time: the old one goes first.
    this.#put(kind, null);
    try {
      this.#put(kind, (await getTracks([kind]))[kind]);
    } catch (error) {
      this.#fail(kind, error);
    }
  }

  #put(kind, track) {
    const input = this.#inputs[kind];
    if (input.track === track) return;
    input.track?.stop();
    input.track = track;
    if (track) {
      input.error = null;
      track.enabled = input.wanted;
      track.addEventListener("ended", () => {
        if (input.track !== track) return;
        this.#put(kind, null);
        this.#fail(kind, { name: "Unplugged" });
      });
    }
    this.#raise("track", { kind, track });
    this.#raise("state");
  }

  #fail(kind, error) {
    this.#inputs[kind].error = error;
    this.#raise("problem", { kind, error });
    this.#raise("state");
  }

  #raise(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const newInput = () => ({ wanted: true, track: null, error: null, queue: Promise.resolve() });

/** Width and height of a camera's picture; a phone held upright sends a narrow one. */
function pickSize(track) {
  const { width = 1280, height = 720 } = track?.getSettings() ?? {};
  return { width, height };
}

async function getTracks(kinds) {
  if (!navigator.mediaDevices) throw new DOMException("", "InsecureContext");
  const constraints = Object.fromEntries(kinds.map((kind) => [kind, CONSTRAINTS[kind]()]));
  const stream = await navigator.mediaDevices.getUserMedia(constraints).catch((error) => {
    // The remembered device may be gone. Any other is better than none.
    if (error.name !== "OverconstrainedError") throw error;
    for (const kind of kinds) delete constraints[kind].deviceId;
    return navigator.mediaDevices.getUserMedia(constraints);
  });
  return Object.fromEntries(stream.getTracks().map((track) => [track.kind, track]));
}

const chosen = (setting) => (settings.get(setting) ? { deviceId: { exact: settings.get(setting) } } : {});

const CONSTRAINTS = {
  audio: () => {
    const processing = !settings.get("originalSound");
    return {
      ...chosen("microphone"),
      echoCancellation: processing,
      noiseSuppression: processing,
      autoGainControl: processing,
    };
  },
  video: () => ({
    ...chosen("camera"),
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30, max: 30 },
    facingMode: "user",
  }),
};
