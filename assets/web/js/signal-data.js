// What clients put into `signal`'s `data`. We send one form, and accept the forms that other clients send.
//
// `link` is the number of the attempt: the side with the smaller id counts, the other one echoes the number of the last offer that it took.
// A client that knows nothing of it sends none.

const TYPES = new Set(["offer", "answer", "pranswer", "rollback"]);

/** `data` for a description, without `link`. */
export const describe = ({ type, sdp }) => ({ description: { type, sdp } });

/** `data` for a candidate, without `link`. */
export const trickle = (candidate) => ({ candidate: candidate.toJSON() });

/** Longest description that is taken, in UTF-16 units. Those of browsers have 5 000 to 30 000. */
const SDP_MAX = 262_144;

/**
 * What a peer sent: `{description: {type, sdp}, link}`, `{candidate, link}` (`candidate` is `null` at the end of candidates), or `null` for
 * anything else.
 */
export function parse(data) {
  if (data === null || typeof data !== "object") return null;
  const link = Number.isSafeInteger(data.link) ? data.link : null;
  const description = descriptionIn(data);
  if (description) return { description, link };
  const candidate = candidateIn(data);
  return candidate === undefined ? null : { candidate, link };
}

function descriptionIn(data) {
  for (const form of [data.description, data.sdp, data]) {
    const sdp = form?.sdp ?? "";
    if (TYPES.has(form?.type) && typeof sdp === "string" && sdp.length <= SDP_MAX) return { type: form.type, sdp };
  }
  return null;
}

function candidateIn(data) {
  if (data.candidate === null) return null;
  const form = typeof data.candidate === "string" ? data : data.candidate;
  if (typeof form?.candidate !== "string") return undefined;
  const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = form;
  return {
    candidate,
    sdpMid: typeof sdpMid === "string" ? sdpMid : null,
    sdpMLineIndex: Number.isInteger(sdpMLineIndex) ? sdpMLineIndex : null,
    ...(typeof usernameFragment === "string" ? { usernameFragment } : {}),
  };
}
