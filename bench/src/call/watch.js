// Runs in the room page before it joins. Everything it finds is in `window.bench`.
// The first argument: whether it keeps what is heard rather than a picture each second.
const keepsSound = arguments[0];
const bench = window.bench = { connected: null, firstFrame: null, moments: [], sent: [], received: [], pictures: [], rate: 0, heard: [] };
const connections = [];
let began = null;
const now = () => performance.timeOrigin + performance.now();

// Reads the strip of marks: 16 by 2 blocks at the top left, 24 bits and 8 check bits.
const readMark = async (frame) => {
  const side = Math.floor(frame.visibleRect.width / 16);
  const rect = { x: 0, y: 0, width: 16 * side, height: 2 * side };
  if (side < 2 || rect.height > frame.visibleRect.height) return null;
  const pixels = new Uint8Array(frame.allocationSize({ rect }));
  const [{ offset, stride }] = await frame.copyTo(pixels, { rect });
  const reach = side >> 2;
  const level = (x, y) => {
    let sum = 0, count = 0;
    for (let row = y - reach; row <= y + reach; row += 1) {
      for (let column = x - reach; column <= x + reach; column += 1, count += 1) sum += pixels[offset + row * stride + column];
    }
    return sum / count;
  };
  let word = 0;
  for (let block = 0; block < 32; block += 1) {
    const x = (block % 16) * side + (side >> 1), y = Math.floor(block / 16) * side + (side >> 1);
    word = (word << 1 | (level(x, y) > 125 ? 1 : 0)) >>> 0;
  }
  const mark = word >>> 8;
  return (word & 255) === ((mark >> 16 ^ mark >> 8 ^ mark ^ 0x5A) & 255) ? mark : null;
};

// Keeps the luma of a picture each second, in base64.
let kept = 0;
const keepPicture = async (frame, at) => {
  if (at - kept < 1_000) return;
  kept = at;
  const { width, height } = frame.visibleRect;
  const pixels = new Uint8Array(frame.allocationSize());
  const [{ offset, stride }] = await frame.copyTo(pixels);
  let text = "";
  for (let row = 0; row < height; row += 1) {
    text += String.fromCharCode(...pixels.subarray(offset + row * stride, offset + row * stride + width));
  }
  bench.pictures.push({ at, width, height, luma: btoa(text) });
};

// Keeps what is heard of a track, as 16 bits, one channel: what its jitter buffer gave whenever the browser's (silent) speaker wanted more.
const keepSound = async (track) => {
  const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 500 }).readable.getReader();
  for (;;) {
    const { value: data, done } = await reader.read();
    if (done) return;
    const samples = new Float32Array(data.numberOfFrames);
    data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    bench.rate = data.sampleRate;
    data.close();
    bench.heard.push(Int16Array.from(samples, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767)));
  }
};

const watchTrack = async (track, marks, first) => {
  const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 4 }).readable.getReader();
  for (;;) {
    const { value: frame, done } = await reader.read();
    if (done) return;
    const at = now();
    first?.(at);
    const mark = await readMark(frame).catch(() => null);
    if (first && !keepsSound) await keepPicture(frame, at);
    frame.close();
    if (mark !== null) marks.push([at, mark]);
  }
};

window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) {
    super(...options);
    began ??= now();
    connections.push(this);
    this.addEventListener("connectionstatechange", () => {
      if (this.connectionState === "connected") bench.connected ??= now() - began;
    });
    this.addEventListener("track", ({ track }) => {
      if (track.kind === "video") watchTrack(track, bench.received, (at) => { bench.firstFrame ??= at - began; });
      else if (keepsSound) keepSound(track);
    });
  }
};

// The page plays the same track that it sends.
const own = document.querySelector("#preview-video").srcObject.getVideoTracks()[0];
watchTrack(own, bench.sent);

let before = null;
bench.timer = setInterval(async () => {
  const moment = { at: now(), frames: 0, freezes: 0, frozen: 0, samples: 0, concealed: 0, wait: null, videoKbps: 0, width: 0, height: 0 };
  let bytes = 0;
  for (const connection of connections.filter(({ connectionState }) => connectionState !== "closed")) {
    for (const report of (await connection.getStats()).values()) {
      if (report.type !== "inbound-rtp") continue;
      if (report.kind === "video") {
        bytes += report.bytesReceived;
        moment.frames += report.framesDecoded ?? 0;
        moment.freezes += report.freezeCount ?? 0;
        moment.frozen += report.totalFreezesDuration ?? 0;
        moment.width = report.frameWidth ?? moment.width;
        moment.height = report.frameHeight ?? moment.height;
      } else {
        moment.samples += report.totalSamplesReceived ?? 0;
        moment.concealed += report.concealedSamples ?? 0;
        if (report.jitterBufferEmittedCount) moment.wait = report.jitterBufferDelay / report.jitterBufferEmittedCount * 1_000;
      }
    }
  }
  if (before) moment.videoKbps = Math.max(0, bytes - before.bytes) * 8 / (moment.at - before.at);
  before = { bytes, at: moment.at };
  bench.moments.push(moment);
}, 1_000);
