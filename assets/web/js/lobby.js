// The first page: the rooms of this server, a form to create one, and a field for a link.

import { cleanName, roomTitle } from "./text.js";
import { passwords } from "./settings.js";
import { roomIdFrom, roomUrl, rooms } from "./api.js";

/** How often the list is read again while the page is looked at. */
const REFRESH_MS = 5_000;

/** Most rooms that are shown; the others are reached by their link. */
const SHOWN_MAX = 200;

const $ = (selector, root = document) => root.querySelector(selector);

export function start() {
  $("#create").addEventListener("submit", create);
  $("#join").addEventListener("submit", join);
  $("#refresh").addEventListener("click", refresh);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  setInterval(() => document.hidden || refresh(), REFRESH_MS);
  refresh();
}

async function create(event) {
  event.preventDefault();
  const form = event.currentTarget;
  const { name, password, capacity } = Object.fromEntries(new FormData(form));
  const wanted = { ...(name.trim() && { name: name.trim() }), ...(password && { password }), ...(capacity && { capacity: Number(capacity) }) };
  await submit(form, async () => {
    const room = await rooms.create(wanted);
    passwords.set(room.id, password);
    location.href = roomUrl(room.id);
  });
}

async function join(event) {
  event.preventDefault();
  const form = event.currentTarget;
  await submit(form, () => {
    const id = roomIdFrom(new FormData(form).get("room"));
    if (!id) throw new Error("This is neither a link to a room nor a room id. Ids have letters, digits, “-” and “_”.");
    location.href = roomUrl(id);
  });
}

async function submit(form, action) {
  const problem = $(".problem", form);
  const button = $("button:not([type])", form);
  problem.hidden = true;
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    button.disabled = false;
  }
}

async function refresh() {
  try {
    const list = await rooms.list();
    const status = list.length > SHOWN_MAX ? `The first ${SHOWN_MAX} of ${list.length} rooms.` : "";
    tell(list.length ? status : "No rooms yet. Create the first one above.");
    show(list.slice(0, SHOWN_MAX));
  } catch (error) {
    tell(error.message);
  }
}

/** Says it once, so that a screen reader does not repeat it with each refresh. */
function tell(text) {
  const status = $("#rooms-status");
  if (status.textContent !== text) status.textContent = text;
  status.hidden = !text;
}

/** Updates the rows in place: a focused button keeps its focus. */
function show(list) {
  const listElement = $("#rooms");
  const rows = new Map([...listElement.children].map((row) => [row.dataset.roomId, row]));
  for (const room of list) {
    const row = rows.get(room.id) ?? makeRow(room);
    rows.delete(room.id);
    fill(row, room);
    if (!row.isConnected) listElement.append(row);
  }
  for (const row of rows.values()) row.remove();
}

function makeRow(room) {
  const row = $("#room-row").content.firstElementChild.cloneNode(true);
  row.dataset.roomId = room.id;
  $("a", row).href = roomUrl(room.id);
  $(".delete", row).addEventListener("click", () => askToDelete(room));
  return row;
}

function fill(row, room) {
  const { participants, capacity, locked, peers } = room;
  const title = roomTitle(room);
  const who = peers.map(({ displayName }) => cleanName(displayName)).join(", ");
  const facts = [`${participants} of ${capacity} ${capacity === 1 ? "person" : "people"}`, locked && "password or locked", who].filter(Boolean);
  $(".room-name", row).textContent = title;
  $(".room-facts", row).textContent = facts.join(" · ");
  $("a", row).setAttribute("aria-label", `Join ${title}…`);
  $(".delete", row).setAttribute("aria-label", `Delete ${title}…`);
  $(".delete", row).title = "Delete this room…";
}

function askToDelete(room) {
  const dialog = $("#confirm");
  $("#confirm-room").textContent = roomTitle(room);
  dialog.addEventListener(
    "close",
    async () => {
      if (dialog.returnValue !== "delete") return;
      await rooms.delete(room.id).catch((error) => tell(error.message));
      refresh();
    },
    { once: true },
  );
  dialog.returnValue = "cancel";
  dialog.showModal();
}
