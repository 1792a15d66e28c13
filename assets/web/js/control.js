// The `control` channel: versioned JSON between clients that know it. Unknown versions and kinds are ignored, so that either side may be newer.

const VERSION = 1;

/** Longest message that is looked at, in UTF-16 units. The messages of version 1 have under 100. */
const MESSAGE_MAX = 16_384;

/** What a client tells about itself: whether its microphone and its camera are on. */
export const encodeState = ({ microphone, camera }) => JSON.stringify({ v: VERSION, kind: "state", microphone, camera });

/** The message in `text`, or `null` when it is none that we know. */
export function decode(text) {
  if (typeof text !== "string" || text.length > MESSAGE_MAX) return null;
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (message?.v !== VERSION || message.kind !== "state") return null;
  if (typeof message.microphone !== "boolean" || typeof message.camera !== "boolean") return null;
  return { kind: "state", microphone: message.microphone, camera: message.camera };
}
