// Text that other people wrote, made safe to show. It is only ever put into the page as text content; what is left to do here is to take
// away the characters that could make one name look like another.

/** Longest display name in characters; the server cuts at the same length. */
export const NAME_MAX = 64;

// Controls, bidirectional marks, embeddings and overrides (UAX #9), and invisible characters. The zero-width joiners stay: Persian, Indic
// scripts and emoji need them.
const SPOOFING =
  /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** A display name on one line, at most `NAME_MAX` characters; "Guest" when nothing is left. */
export const cleanName = (value) => oneLine(value, NAME_MAX) || "Guest";

/** Longest name of a room in characters; the server allows no longer one. */
const ROOM_NAME_MAX = 128;

/** What a room is called: its name, or its id. */
export const roomTitle = ({ id, name }) => oneLine(name, ROOM_NAME_MAX) || id;

function oneLine(value, most) {
  const text = typeof value === "string" ? value.slice(0, most * 4) : "";
  const line = text.replace(SPOOFING, "").replace(/\s+/gu, " ").trim();
  return [...line].slice(0, most).join("").trim();
}

/** One or two letters that stand for a name where there is no picture. */
export function initials(name) {
  const words = name.split(" ").filter(Boolean);
  const picked = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return picked.map((word) => firstGrapheme(word).toLocaleUpperCase()).join("");
}

function firstGrapheme(word) {
  if (!("Segmenter" in Intl)) return [...word][0];
  const [first] = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(word);
  return first.segment;
}

/** A hue (0–359) that stays the same for a name, so that people are told apart where there is no picture. */
export function hue(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) % 360;
  return hash;
}
