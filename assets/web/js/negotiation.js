// Perfect negotiation over one peer connection (W3C webrtc §10.7, RFC 9429), with fixed roles: the side with the smaller id makes the first
// offer and is impolite. Everything that touches descriptions or candidates goes through one queue, in the order in which it came, so the
// signaling state that a step sees is the one that the step before it left.
//
// Peers that may send stereo are told that we hear it: their descriptions say so, so ours are made with them at hand.

import { hearStereo, maySendStereo } from "./sdp.js";

/** How long an offer of ours may stay unanswered beside one of theirs that we ignored, before theirs is taken (both thought to be impolite). */
const IGNORED_OFFER_TAKEN_MS = 3_000;

/** An unanswered offer is sent again after this long, then after twice as long, up to the limit: a guest's page may not have been ready for it. */
const RESEND_MS = 6_000;
const RESEND_MAX_MS = 30_000;

/** Most candidates that are looked at for one remote description, and most that wait for one. A browser makes about ten. */
const CANDIDATES_MAX = 256;

/** Most steps that may wait in the queue. A peer that fills it is flooding us: what is more is dropped. */
const QUEUE_MAX = 1_024;

export class Negotiation {
  #pc;
  #impolite;
  #hooks;
  #queue = Promise.resolve();
  #waiting = 0;
  #closed = false;
  /** The first offer of this link, ours or theirs, has been made. */
  #begun;
  #candidates = 0;
  #early = [];
  #ignored = null;
  #ignoredTimer = 0;
  #resendTimer = 0;
  /** Our newest offer was made only because of what the answer before it said of stereo. */
  #followsUp = false;

  /**
   * @param {RTCPeerConnection} pc
   * @param {boolean} impolite our id is the smaller one
   * @param {boolean} initiator we make the first offer; otherwise we make none before the peer's first
   * @param {object} hooks `send(description)`, `beforeAnswer(remoteSdp)` (attach our media to the lines that were offered),
   *   `afterExchange()` (an offer and its answer are both in place), `failed(error)`
   */
  constructor(pc, { impolite, initiator }, hooks) {
    this.#pc = pc;
    this.#impolite = impolite;
    this.#begun = initiator;
    this.#hooks = hooks;
    pc.addEventListener("negotiationneeded", () => this.#enqueue(() => this.#offer()));
  }

  /** Takes what the peer sent: `{description}` or `{candidate}`. */
  receive(message) {
    if (message.description) this.#enqueue(() => this.#take(message.description));
    else if (message.candidate) this.#enqueue(() => this.#takeCandidate(message.candidate));
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#ignoredTimer);
    clearTimeout(this.#resendTimer);
  }

  #enqueue(step) {
    if (this.#waiting >= QUEUE_MAX) return;
    this.#waiting += 1;
    this.#queue = this.#queue
      .then(() => (this.#closed ? undefined : step()))
      .catch((error) => this.#closed || this.#hooks.failed(error))
      .finally(() => (this.#waiting -= 1));
  }

  async #offer() {
    // Not stable: the browser raises the event again when the exchange that is under way has ended, if there is still a need.
    if (!this.#begun || this.#pc.signalingState !== "stable") return;
    await this.#describe();
    this.#hooks.send(this.#pc.localDescription);
    this.#resendIn(RESEND_MS);
  }

  /** Sets our offer or answer, as the state demands. The browser's own word stands where there is nothing to add to it. */
  async #describe() {
    const theirs = this.#pc.remoteDescription?.sdp ?? "";
    if (maySendStereo(theirs)) {
      const answers = this.#pc.signalingState === "have-remote-offer";
      const { type, sdp } = answers ? await this.#pc.createAnswer() : await this.#pc.createOffer();
      try {
        return await this.#pc.setLocalDescription({ type, sdp: hearStereo(sdp, theirs) });
      } catch {
        // A browser that takes only its own words: its sound is mono then.
      }
    }
    await this.#pc.setLocalDescription();
  }

  #resendIn(wait) {
    clearTimeout(this.#resendTimer);
    this.#resendTimer = setTimeout(() => {
      if (this.#closed || this.#pc.signalingState !== "have-local-offer") return;
      this.#hooks.send(this.#pc.localDescription);
      this.#resendIn(Math.min(2 * wait, RESEND_MAX_MS));
    }, wait);
  }

  async #take(description) {
    if (description.type === "offer") {
      const collision = this.#pc.signalingState !== "stable";
      if (collision && this.#impolite) this.#ignore(description);
      else await this.#answer(description);
    } else if (this.#pc.signalingState === "have-local-offer" || this.#pc.signalingState === "have-remote-pranswer") {
      // An answer in any other state is late or answers an offer that was rolled back.
      await this.#pc.setRemoteDescription(description);
      this.#forgetIgnored();
      await this.#flushCandidates();
      if (description.type === "answer") await this.#answered();
    }
  }

  async #answered() {
    await this.#hooks.afterExchange();
    // What the answer says of stereo was not known when the first offer was made. One offer more is enough, and all that there is: where it
    // did not help, the next would not either.
    const [ours, theirs] = [this.#pc.localDescription.sdp, this.#pc.remoteDescription.sdp];
    this.#followsUp = !this.#followsUp && hearStereo(ours, theirs) !== ours;
    if (this.#followsUp) await this.#offer();
  }

  async #answer(offer) {
    this.#forgetIgnored();
    this.#begun = true;
    this.#followsUp = false;
    // Rolls a pending offer of ours back by itself.
    await this.#pc.setRemoteDescription(offer);
    try {
      await this.#flushCandidates();
      await this.#hooks.beforeAnswer(offer.sdp);
      await this.#describe();
    } catch (error) {
      // Without this the connection would wait for an answer that never comes.
      await this.#pc.setLocalDescription({ type: "rollback" }).catch(() => {});
      throw error;
    }
    this.#hooks.send(this.#pc.localDescription);
    await this.#hooks.afterExchange();
  }

  #ignore(offer) {
    this.#ignored = { offer, candidates: [] };
    clearTimeout(this.#ignoredTimer);
    this.#ignoredTimer = setTimeout(() => this.#enqueue(() => this.#takeIgnored()), IGNORED_OFFER_TAKEN_MS);
  }

  #forgetIgnored() {
    this.#ignored = null;
    clearTimeout(this.#ignoredTimer);
  }

  async #takeIgnored() {
    if (!this.#ignored || this.#pc.signalingState !== "have-local-offer") return;
    const { offer, candidates } = this.#ignored;
    this.#early = candidates;
    await this.#answer(offer);
  }

  async #takeCandidate(candidate) {
    if (this.#candidates >= CANDIDATES_MAX) return;
    this.#candidates += 1;
    // It may belong to the offer that we ignored, or to the connection as it stands: the ICE user name fragment decides when it is added.
    this.#ignored?.candidates.push(candidate);
    if (this.#pc.remoteDescription) await this.#addCandidate(candidate);
    else this.#early.push(candidate);
  }

  async #flushCandidates() {
    this.#candidates = 0;
    const early = this.#early;
    this.#early = [];
    for (const candidate of early) await this.#addCandidate(candidate);
  }

  async #addCandidate(candidate) {
    try {
      await this.#pc.addIceCandidate(candidate);
    } catch {
      // Of an older generation, of a section that was rejected, or malformed. ICE does without it.
    }
  }
}
