// Sound of the others: which speaker it goes to, and what to do when the browser does not let a page make sound unasked.

import { settings } from "./settings.js";

/** Whether a page may choose the speaker here. */
export const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

/** Plays the others' media elements. */
export class Playback {
  #elements = new Set();
  #button;

  /** `button` is shown while the browser keeps an element silent; a click on it lets all of them play. */
  constructor(button) {
    this.#button = button;
    button.addEventListener("click", () => {
      button.hidden = true;
      for (const element of this.#elements) this.#play(element);
    });
  }

  add(element) {
    this.#elements.add(element);
    this.#route(element);
    this.#play(element);
  }

  remove(element) {
    this.#elements.delete(element);
    element.srcObject = null;
    if (this.#elements.size === 0) this.#button.hidden = true;
  }

  /** Sends all sound to this device (`""`: the browser's choice). */
  async chooseSpeaker(deviceId) {
    settings.set("speaker", deviceId);
    await Promise.all([...this.#elements].map((element) => this.#route(element)));
  }

  async #play(element) {
    try {
      await element.play();
    } catch (error) {
      // Anything else (the element was removed, new tracks came in between) settles by itself.
      if (error.name === "NotAllowedError" && this.#elements.has(element)) this.#button.hidden = false;
    }
  }

  async #route(element) {
    if (!canChooseSpeaker) return;
    // A remembered speaker may be unplugged: the sound then stays with the browser's choice.
    await element.setSinkId(settings.get("speaker")).catch(() => {});
  }
}
