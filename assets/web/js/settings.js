// What this browser remembers between visits. Storage may be forbidden (private windows, cookie settings): then everything still works, and
// nothing is remembered.

const PREFIX = "roundtable.";

function read(storage, key) {
  try {
    return storage().getItem(PREFIX + key);
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    if (value) storage().setItem(PREFIX + key, value);
    else storage().removeItem(PREFIX + key);
  } catch {
    // Not remembered; nothing that anybody could do about it here.
  }
}

const local = () => localStorage;
const session = () => sessionStorage;

/** Kept until the person clears the browser's data. Keys: `name`, `microphone`, `camera`, `speaker` (device ids), `originalSound`. */
export const settings = {
  get: (key) => read(local, key) ?? "",
  set: (key, value) => write(local, key, value),
};

/** A room's password, kept for this tab only, so that who made or joined a room is not asked again after a reload. */
export const passwords = {
  get: (roomId) => read(session, `password.${roomId}`) ?? "",
  set: (roomId, password) => write(session, `password.${roomId}`, password),
};
