// Failures as sentences for people: the cause and the next step.

const DEVICE = { audio: "microphone", video: "camera" };

/** Why a camera (`video`) or microphone (`audio`) could not be used (the error names are those of W3C mediacapture-main, `getUserMedia`). */
export function deviceProblem(kind, error) {
  const device = DEVICE[kind];
  switch (error?.name) {
    case "InsecureContext":
      return `Browsers give the ${device} only to pages that are served over https or from this computer. Open this room with an https:// address to use it.`;
    case "NotAllowedError":
      return `The browser may not use the ${device}. Allow it with the icon beside the address, then try again.`;
    case "NotFoundError":
    case "OverconstrainedError":
      return `No ${device} was found. Plug one in, then try again.`;
    case "NotReadableError":
    case "AbortError":
      return `The ${device} is in use by another program or does not answer. Close the other program, then try again.`;
    case "Unplugged":
      return `The ${device} was unplugged. Choose another one in the settings.`;
    default:
      return `The ${device} does not work${error?.message ? ` (${error.message})` : ""}. Try again, or choose another one.`;
  }
}

const JOIN = {
  "room-full": "This room is full. Wait until somebody leaves, then try again.",
  "password-required": "This room has a password. Type it to join.",
  "wrong-password": "That is not the password of this room. Try again.",
  "room-locked": "This room is locked: nobody can join at the moment. Ask somebody inside to unlock it.",
  "room-not-found": "There is no such room. Check the link, or create a room.",
  "rate-limited": "The server is busy. Wait a moment, then try again.",
  offline: "The server does not answer. Check your connection; we keep trying.",
};

/** Why the server did not let us in. */
export function joinProblem({ code, message }) {
  return JOIN[code] ?? (message || "The server did not let us in.");
}

/** The refusals that a password can settle. */
export const wantsPassword = ({ code }) => code === "password-required" || code === "wrong-password";

/** The refusals that pass by themselves: our own ghost may still hold the seat after a lost connection. */
export const passesByItself = ({ code }) => code === "room-full" || code === "rate-limited" || code === "offline";
