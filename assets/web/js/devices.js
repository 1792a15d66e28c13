// The controls of our own devices: on/off buttons and the lists to choose from. Both the preview and the call have a set of them.

import { canChooseSpeaker } from "./playback.js";
import { deviceProblem } from "./errors.js";
import { settings } from "./settings.js";

const TOGGLE = {
  audio: { icon: "microphone", name: "microphone", key: "M" },
  video: { icon: "camera", name: "camera", key: "V" },
};

const DEVICES = {
  videoinput: { setting: "camera", name: "Camera", kind: "video" },
  audioinput: { setting: "microphone", name: "Microphone", kind: "audio" },
  audiooutput: { setting: "speaker", name: "Speaker" },
};

/** Binds every button with `data-toggle`. */
export function bindToggles(media) {
  const buttons = [...document.querySelectorAll("[data-toggle]")];
  const update = () => {
    for (const button of buttons) showToggle(button, media);
  };
  for (const button of buttons) button.addEventListener("click", () => flip(media, button.dataset.toggle));
  media.addEventListener("state", update);
  update();
}

/** Switches a device on or off; after a failure this tries it again. */
export const flip = (media, kind) => media.set(kind, !media.isOn(kind));

function showToggle(button, media) {
  const { icon, name, key } = TOGGLE[button.dataset.toggle];
  const on = media.isOn(button.dataset.toggle);
  const problem = media.problem(button.dataset.toggle);
  const label = problem ? `Try the ${name} again` : `Turn the ${name} ${on ? "off" : "on"}`;
  button.setAttribute("aria-pressed", String(on));
  button.setAttribute("aria-label", label);
  button.title = problem ? deviceProblem(button.dataset.toggle, problem) : `${label} (${key})`;
  button.toggleAttribute("data-problem", Boolean(problem));
  button.querySelector("use").setAttribute("href", `icons.svg#${on ? icon : `${icon}-off`}`);
}

/** Fills every place with `data-pickers`. */
export function bindPickers(media, playback) {
  const template = document.querySelector("#pickers");
  for (const place of document.querySelectorAll("[data-pickers]")) place.append(template.content.cloneNode(true));
  for (const select of document.querySelectorAll("select[data-device]")) {
    select.addEventListener("change", () => choose(media, playback, select));
  }
  const boxes = [...document.querySelectorAll("[data-original-sound]")];
  for (const box of boxes) {
    box.checked = Boolean(settings.get("originalSound"));
    box.addEventListener("change", () => {
      settings.set("originalSound", box.checked ? "yes" : "");
      for (const other of boxes) other.checked = box.checked;
      media.reopenMicrophone();
    });
  }
  media.addEventListener("devices", () => list(media));
}

async function choose(media, playback, select) {
  const { kind } = DEVICES[select.dataset.device];
  if (kind) await media.choose(kind, select.value);
  else await playback.chooseSpeaker(select.value);
  await list(media);
}

async function list(media) {
  const found = await media.devices();
  for (const select of document.querySelectorAll("select[data-device]")) {
    const { setting, name } = DEVICES[select.dataset.device];
    const devices = found[select.dataset.device];
    const options = devices.map(({ id, label }, index) => new Option(label || `${name} ${index + 1}`, id));
    select.replaceChildren(new Option("Default", ""), ...options);
    select.value = settings.get(setting);
    // A remembered device that is not there now.
    if (select.selectedIndex < 0) select.value = "";
    select.disabled = devices.length === 0;
  }
  for (const field of document.querySelectorAll("[data-speaker]")) field.hidden = !canChooseSpeaker || !found.audiooutput.length;
}
