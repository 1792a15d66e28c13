// The REST side of the server: rooms.

/** A request that failed, with a sentence for the person in `message` and the server's stable `code` (`offline` when it did not answer). */
export class ApiError extends Error {
  constructor(code, message, status = 0) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: options.body ? { "Content-Type": "application/json" } : {} });
  } catch {
    throw new ApiError("offline", "The server does not answer. Check your connection and try again.");
  }
  if (response.status === 204) return null;
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const error = body?.error ?? {};
  throw new ApiError(
    typeof error.code === "string" ? error.code : "failed",
    typeof error.message === "string" && error.message ? error.message : `The server answered with status ${response.status}.`,
    response.status,
  );
}

const path = (id) => `/api/rooms/${encodeURIComponent(id)}`;

export const rooms = {
  list: () => request("/api/rooms"),
  /** `null` when there is no such room. */
  get: (id) =>
    request(path(id)).catch((error) => {
      if (error.status === 404) return null;
      throw error;
    }),
  create: (room) => request("/api/rooms", { method: "POST", body: JSON.stringify(room) }),
  delete: (id) => request(path(id), { method: "DELETE" }),
};

/** What a room id may be: part of the contract with every server and client. */
export const ROOM_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** The page of a room. */
export const roomUrl = (id) => new URL(`room.html?id=${encodeURIComponent(id)}`, location.href).href;

/** The room id in what a person typed or pasted: an id or a link to a room; `null` when there is none. */
export function roomIdFrom(text) {
  const typed = text.trim();
  if (ROOM_ID.test(typed)) return typed;
  try {
    const url = new URL(typed);
    const id = url.searchParams.get("id") ?? url.pathname.split("/").pop();
    return id && ROOM_ID.test(id) ? id : null;
  } catch {
    return null;
  }
}
