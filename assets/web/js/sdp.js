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

/** Where a media section begins. */
const SECTION = /^(?=m=)/m;

/** Payload types of Opus among the lines of a section. */
const opusFormats = (section) => new Set([...section.matchAll(/^a=rtpmap:(\d+) opus\/48000\b/gim)].map(([, format]) => format));

/** Each line of a section with a format's parameters: payload type, and the parameters. */
const formatParameters = (section) =>
  [...section.matchAll(/^a=fmtp:(\d+)(?: (.*))?$/gm)].map(([, format, text]) => [format, parameters(text ?? "")]);

const parameters = (text) => text.split(";").map((parameter) => parameter.trim().toLowerCase());

/** For each media section, in order, whether its writer may send Opus in stereo there. */
function stereoSections(sdp) {
  const sections = sdp.split(SECTION).filter((piece) => piece.startsWith("m="));
  return sections.map((section) => {
    const opus = opusFormats(section);
    const offered = formatParameters(section).some(([format, given]) => opus.has(format) && given.includes("sprop-stereo=1"));
    return offered && section.startsWith("m=audio ");
  });
}

/** Whether the writer of this description may send Opus in stereo (RFC 7587 §6.1, `sprop-stereo`). */
export const maySendStereo = (sdp) => stereoSections(sdp).includes(true);

/**
 * A description of ours, which says that we hear Opus in stereo (`stereo`) where the peer's says that stereo may come: Chromium decodes it as mono
 * otherwise. To a peer that does not say so it is not said either: two browsers would then send each voice twice, for twice the bitrate.
 */
export function hearStereo(ours, theirs) {
  const stereo = stereoSections(theirs);
  // Both sides' sections are in the same order (RFC 3264 §6).
  let index = 0;
  const hear = (piece) => (piece.startsWith("m=") && stereo[index++] && piece.startsWith("m=audio ") ? withStereo(piece) : piece);
  return ours.split(SECTION).map(hear).join("");
}

/** A section with `stereo=1` for its Opus, unless it says something about that already. */
function withStereo(section) {
  const opus = opusFormats(section);
  const described = new Set(formatParameters(section).map(([format]) => format));
  const end = section.includes("\r\n") ? "\r\n" : "\n";
  return section.replace(/^a=(rtpmap|fmtp):(\d+)(?: (.*))?$/gm, (line, attribute, format, text = "") => {
    if (!opus.has(format)) return line;
    if (attribute === "rtpmap") return described.has(format) ? line : `${line}${end}a=fmtp:${format} stereo=1`;
    if (parameters(text).some((parameter) => parameter.startsWith("stereo="))) return line;
    return `a=fmtp:${format} ${text.trim() ? `${text};` : ""}stereo=1`;
  });
}

/** The DTLS certificate fingerprints in it (RFC 8122): each peer connection has its own. */
const fingerprints = (sdp) => new Set([...sdp.matchAll(/^a=fingerprint:(.+?)\s*$/gm)].map(([, value]) => value.toLowerCase()));

/** Whether two descriptions were made by different peer connections; when either names no certificate they count as the same. */
export function otherConnection(one, other) {
  const [ones, others] = [fingerprints(one), fingerprints(other)];
  return ones.size > 0 && others.size > 0 && ![...ones].some((value) => others.has(value));
}
