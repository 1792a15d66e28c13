// The screen before joining: our own picture, our devices, our name, and the room's password if it has one.

import { deviceProblem, joinProblem, wantsPassword } from "./errors.js";
import { Meter } from "./meter.js";
import { cleanName, roomTitle } from "./text.js";
import { passwords, settings } from "./settings.js";
import { rooms } from "./api.js";

const $ = (selector) => document.querySelector(selector);

/** Raises `join` (detail: `{name, password}`). */
export class Preview extends EventTarget {
  #media;
  #roomId;
  #meter = new Meter($("#meter"));

  constructor(media, roomId) {
    super();
    this.#media = media;
    this.#roomId = roomId;
    $("#display-name").value = settings.get("name");
    $("#password").value = passwords.get(roomId);
    $("#join").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#join();
    });
    for (const type of ["track", "state", "problem"]) media.addEventListener(type, () => this.#showDevices());
    this.#loadRoom();
  }

  /** Shows why the server did not let us in; asks for the password if that may help. */
  refuse(error) {
    this.busy(false);
    this.#tell(joinProblem(error));
    if (!wantsPassword(error)) return;
    passwords.set(this.#roomId, "");
    $("#password-field").hidden = false;
    $("#password").value = "";
    $("#password").focus();
  }

  /** While the server is asked. `text` says what we wait for. */
  busy(on, text = "") {
    $("#join-button").disabled = on;
    $("#join-button").textContent = on ? "Joining…" : "Join";
    this.#tell(text);
  }

  /** The preview is on the screen, or no longer. */
  show(on) {
    if (on) this.#loadRoom();
    this.#showDevices();
    if (!on) this.#meter.stop();
  }

  #join() {
    const name = $("#display-name").value.trim();
    const password = $("#password").value;
    settings.set("name", name);
    passwords.set(this.#roomId, password);
    this.busy(true);
    this.dispatchEvent(new CustomEvent("join", { detail: { name, password } }));
  }

  #tell(text) {
    $("#join-problem").textContent = text;
    $("#join-problem").hidden = !text;
  }

  async #loadRoom() {
    let facts;
    try {
      const room = await rooms.get(this.#roomId);
      facts = describeRoom(room);
      const title = roomTitle(room ?? { id: this.#roomId });
      $("#room-name").textContent = title;
      document.title = `${title} – Roundtable`;
      if (room?.locked) $("#password-field").hidden = false;
    } catch (error) {
      facts = error.message;
    }
    $("#room-facts").textContent = facts;
  }

  #showDevices() {
    if ($("#preview").hidden) return;
    const camera = this.#media.track("video");
    if ($("#preview-video").srcObject?.getVideoTracks()[0] !== (camera ?? undefined)) {
      $("#preview-video").srcObject = camera && new MediaStream([camera]);
    }
    $("#preview").toggleAttribute("data-picture", Boolean(camera));
    $("#preview-note").textContent = this.#media.problem("video") ? "No camera picture" : "Your camera is off";
    this.#meter.listen(this.#media.isOn("audio") ? this.#media.track("audio") : null);
    this.#showProblems();
  }

  #showProblems() {
    const problems = ["video", "audio"].map((kind) => [kind, this.#media.problem(kind)]).filter(([, error]) => error);
    let texts = problems.map(([kind, error]) => deviceProblem(kind, error));
    if (texts.length) texts = [...texts, "You can join without: you will see and hear the others, and can write."];
    const list = $("#device-problems");
    if ([...list.children].map((item) => item.textContent).join() === texts.join()) return;
    list.replaceChildren(
      ...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
    );
  }
}

function describeRoom(room) {
  if (!room) return "Nobody is here yet. The room opens when you join.";
  if (room.participants >= room.capacity) return "This room is full at the moment.";
  if (room.participants === 0) return "Nobody is here yet.";
  const names = room.peers.map(({ displayName }) => cleanName(displayName));
  if (names.length === 0) return room.participants === 1 ? "One person is here." : `${room.participants} people are here.`;
  return `Here now: ${new Intl.ListFormat("en").format(names)}.`;
}
