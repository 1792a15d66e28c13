// What the person should know: the banner (a state that lasts) and toasts (something that happened).

/** How long a toast stays; reading speed is about 15 characters a second. */
const TOAST_MS = 6_000;

/** Most toasts at once. */
const TOASTS_MAX = 3;

/** Shows the banner with this text; an empty text takes it away. */
export function banner(text) {
  const element = document.querySelector("#banner");
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

/** Says something once. Screen readers read it out. */
export function toast(text) {
  const list = document.querySelector("#toasts");
  const item = document.createElement("p");
  item.className = "toast";
  item.dir = "auto";
  item.textContent = text;
  list.append(item);
  while (list.children.length > TOASTS_MAX) list.firstElementChild.remove();
  setTimeout(() => item.remove(), TOAST_MS);
}

/** Puts a link into the clipboard, or shows it to be copied by hand where the browser gives no clipboard. */
export async function copyLink(url) {
  try {
    await navigator.clipboard.writeText(url);
    toast("Link copied. Send it to whom you want to talk to.");
  } catch {
    prompt("Copy this link:", url);
  }
}
