// A bar that moves with the microphone, so that people see before joining that it hears them.

/** Quietest and loudest level that the bar shows, in dBFS. */
const FLOOR_DB = -60;
const TOP_DB = -6;

export class Meter {
  #bar;
  #context = null;
  #source = null;
  #analyser = null;
  #track = null;
  #frame = 0;

  constructor(bar) {
    this.#bar = bar;
  }

  /** Follows this track; `null` for none. */
  listen(track) {
    if (track === this.#track) return;
    this.stop();
    if (!track) return;
    this.#track = track;
    this.#context = new AudioContext();
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser);
    this.#draw();
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#source?.disconnect();
    this.#context?.close();
    this.#context = this.#source = this.#analyser = this.#track = null;
    this.#bar.style.setProperty("--level", 0);
  }

  #draw() {
    const samples = new Float32Array(this.#analyser.fftSize);
    this.#analyser.getFloatTimeDomainData(samples);
    const meanSquare = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const level = (10 * Math.log10(meanSquare + 1e-12) - FLOOR_DB) / (TOP_DB - FLOOR_DB);
    this.#bar.style.setProperty("--level", Math.min(1, Math.max(0, level)).toFixed(3));
    this.#frame = requestAnimationFrame(() => this.#draw());
  }
}
