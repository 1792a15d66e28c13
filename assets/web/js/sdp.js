// The few facts about a session description (RFC 8866, RFC 9429) that the browser's API does not tell.

/** The media sections of an SDP, in order: kind, mid, direction as its writer sees it. */
export function mediaSections(sdp) {
  return sdp
    .split(/\r?\n(?=m=)/)
    .slice(1)
    .map((section) => ({
      kind: /^m=(\w+)/.exec(section)?.[1] ?? "",
      mid: /^a=mid:(.+?)\r?$/m.exec(section)?.[1] ?? null,
      direction: /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(section)?.[1] ?? "sendrecv",
    }));
}

/** Mids of the sections of `kind` whose writer wants to receive. */
export function receivingMids(sdp, kind) {
  return mediaSections(sdp)
    .filter((section) => section.kind === kind && /recv/.test(section.direction))
    .map((section) => section.mid);
}

/** Whether data channels are negotiated. */
export const hasDataSection = (sdp) => mediaSections(sdp).some((section) => section.kind === "application");

/** The DTLS certificate fingerprints in it (RFC 8122): each peer connection has its own. */
const fingerprints = (sdp) => new Set([...sdp.matchAll(/^a=fingerprint:(.+?)\s*$/gm)].map(([, value]) => value.toLowerCase()));

/** Whether two descriptions were made by different peer connections; when either names no certificate they count as the same. */
export function otherConnection(one, other) {
  const [ones, others] = [fingerprints(one), fingerprints(other)];
  return ones.size > 0 && others.size > 0 && ![...ones].some((value) => others.has(value));
}
