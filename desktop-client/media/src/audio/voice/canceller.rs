//! Cancels the echo: WebRTC's AEC3 with a tuning of our own, between what finds the delay ([`Alignment`]) and what suppresses late reverberation ([`Tail`]).
//!
//! `sonora` runs AEC3 with WebRTC's tuning only, so its parts are put together here. All of it works on three bands of 16 kHz each.

use std::ops::Range;

use sonora_aec3::block::Block;
use sonora_aec3::block_framer::BlockFramer;
use sonora_aec3::block_processor::BlockProcessor;
use sonora_aec3::common::SUB_FRAME_LENGTH;
use sonora_aec3::config::{EchoCanceller3Config, MaskingThresholds};
use sonora_aec3::frame_blocker::FrameBlocker;

use super::alignment::{Alignment, LONGEST, SPAN};
use super::bands::{BAND_SAMPLES, BANDS, Bands, Splitter};
use super::guard::Guard;
use super::history::History;
use super::tail::Tail;
use super::{SAMPLE_RATE, Samples16, power};

/// Length of AEC3's filters in blocks of 4 ms: 64 ms.
const FILTER: usize = 16;

/// What is played is delayed by so much less than its echo, in samples (9 ms): the strongest peak may be a reflection that comes after the direct sound.
const AHEAD: usize = 144;

/// So many samples after the delay (35 ms) the strongest peak may be without a new delay.
const WITHIN: usize = 560;

/// The microphone clips here.
const FULL: f32 = 32_700.0;

/// An echo canceller.
pub struct Canceller {
    aec: BlockProcessor,
    alignment: Alignment,
    tail: Tail,
    guard: Guard,
    splitter: Splitter,
    /// What was played, by band.
    played: [History; BANDS],
    /// By how many samples what was played is delayed, and where its echo is expected once that is known.
    delay: usize,
    echo: Option<Range<usize>>,
    /// Frames handed over since the last captured one.
    frames: usize,
    reference: Blocks,
    captured: Blocks,
    framer: BlockFramer,
    /// 5 ms of each band.
    out: Vec<Vec<Vec<f32>>>,
}

impl Canceller {
    /// In a room that is not known.
    pub fn new() -> Self {
        Self {
            aec: new_aec(),
            alignment: Alignment::new(),
            tail: Tail::new(),
            guard: Guard::new(),
            splitter: Splitter::new(),
            played: std::array::from_fn(|_| History::new(SPAN)),
            delay: 0,
            echo: None,
            frames: 0,
            reference: Blocks::new(),
            captured: Blocks::new(),
            framer: BlockFramer::new(BANDS, 1),
            out: vec![vec![vec![0.0; SUB_FRAME_LENGTH]]; BANDS],
        }
    }

    /// What is played next.
    pub fn play(&mut self, samples: &Samples16) {
        let bands = self.splitter.split(samples);
        self.push(&bands);
        self.frames += 1;
    }

    fn push(&mut self, bands: &Bands) {
        for (played, band) in self.played.iter_mut().zip(bands) {
            played.push(band);
        }
    }

    /// Removes the echo from what the microphone gave; `loudest` is the largest sample of all bands together.
    pub fn cancel(&mut self, bands: &mut Bands, loudest: f32) {
        self.keep_up();
        self.align(&bands[0]);
        let clipped = loudest >= FULL;
        let newest = SPAN - BAND_SAMPLES - self.delay;
        for half in 0..2 {
            let at = half * SUB_FRAME_LENGTH;
            self.captured.insert(|band| &bands[band][at..at + SUB_FRAME_LENGTH]);
            let from = newest + at;
            self.reference.insert(|band| &self.played[band].newest()[from..from + SUB_FRAME_LENGTH]);
            self.cancel_block(clipped);
            self.framer.insert_block_and_extract_sub_frame(&self.captured.block, &mut self.out);
            for (band, out) in bands.iter_mut().zip(&self.out) {
                band[at..at + SUB_FRAME_LENGTH].copy_from_slice(&out[0]);
            }
        }
        // Five blocks are as long as four halves of a frame.
        if self.captured.take_left_over() && self.reference.take_left_over() {
            self.cancel_block(clipped);
            self.framer.insert_block(&self.captured.block);
        }
        let played = &self.played[0].newest()[SPAN - BAND_SAMPLES..];
        self.guard.watch(played, bands, self.echo.is_some());
    }

    /// By how much the filter reduces the echo, by its own estimate, in dB.
    pub fn erle_db(&self) -> f32 {
        self.aec.get_metrics().echo_return_loss_enhancement as f32
    }

    fn cancel_block(&mut self, clipped: bool) {
        let lower = |blocks: &Blocks| power(blocks.block.view(0, 0));
        let (played, heard) = (lower(&self.reference), lower(&self.captured));
        self.aec.buffer_render(&self.reference.block);
        self.aec.process_capture(false, clipped, None, &mut self.captured.block);
        self.tail.suppress(played, heard, &mut self.captured.block);
    }

    /// One played frame goes with each captured one; when it was none or several, the delay changes so that AEC3 goes on where it was.
    fn keep_up(&mut self) {
        let frames = std::mem::take(&mut self.frames);
        if frames == 1 {
            return;
        }
        if frames == 0 && self.delay < BAND_SAMPLES {
            // All that was played is used up: nothing is played.
            self.push(&[[0.0; BAND_SAMPLES]; BANDS]);
            return;
        }
        let shift = |delay: usize| (delay + frames * BAND_SAMPLES).saturating_sub(BAND_SAMPLES);
        self.delay = shift(self.delay).min(LONGEST);
        self.echo = self.echo.take().map(|echo| shift(echo.start)..shift(echo.end));
        self.alignment.forget();
    }

    fn align(&mut self, frame: &[f32]) {
        if let Some(found) = self.alignment.hear(self.played[0].newest(), frame, self.echo.as_ref()) {
            self.delay = found.saturating_sub(AHEAD);
            self.echo = Some(self.delay..self.delay + WITHIN);
            // A new one learns faster than one that has learned otherwise.
            self.aec = new_aec();
            tracing::debug!(delay_ms = found / 16, "the echo has another delay");
        }
    }
}

/// Blocks of 4 ms from frames of 10 ms.
struct Blocks {
    blocker: FrameBlocker,
    block: Block,
}

impl Blocks {
    fn new() -> Self {
        Self { blocker: FrameBlocker::new(BANDS, 1), block: Block::new(BANDS, 1) }
    }

    /// Takes half of a frame, by band, and makes a block.
    fn insert<'a>(&mut self, band: impl Fn(usize) -> &'a [f32]) {
        let half: [Vec<&[f32]>; BANDS] = std::array::from_fn(|number| vec![band(number)]);
        self.blocker.insert_sub_frame_and_extract_block(&half, &mut self.block);
    }

    /// Makes a block of what is left over, if that is enough.
    fn take_left_over(&mut self) -> bool {
        let enough = self.blocker.is_block_available();
        if enough {
            self.blocker.extract_block(&mut self.block);
        }
        enough
    }
}

fn new_aec() -> BlockProcessor {
    let mut aec = BlockProcessor::new(&tuning(), SAMPLE_RATE as usize, 1, 1);
    // What it gets is aligned.
    aec.set_audio_buffer_delay(0);
    aec
}

/// WebRTC's tuning but for what is said here. Measured in rooms: see `docs/PERFORMANCE.md`.
fn tuning() -> EchoCanceller3Config {
    let mut tuning = EchoCanceller3Config::default();
    tuning.delay.use_external_delay_estimator = true;
    tuning.delay.num_filters = 1;
    let filter = &mut tuning.filter;
    for length in [&mut filter.refined.length_blocks, &mut filter.refined_initial.length_blocks] {
        *length = FILTER;
    }
    for length in [&mut filter.coarse.length_blocks, &mut filter.coarse_initial.length_blocks] {
        *length = FILTER;
    }
    // Before the filter is of use an echo is taken to be 6 dB, not 0 dB, lower than what is played.
    tuning.ep_strength.default_gain = 0.5;
    // While somebody near talks late reverberation is inaudible beside them.
    tuning.ep_strength.nearend_len = 0.5;
    let suppressor = &mut tuning.suppressor;
    // Somebody near is believed sooner, and touched less, for the tail is suppressed apart.
    let near = &mut suppressor.dominant_nearend_detection;
    near.enr_threshold = 0.4;
    near.trigger_threshold = 9;
    // And no longer than their words are above the echo: what passes after that is echo, a syllable at a time.
    near.enr_exit_threshold = 1.0;
    near.hold_duration = 20;
    let near = &mut suppressor.nearend_tuning;
    near.mask_lf = MaskingThresholds { enr_transparent: 1.5, enr_suppress: 2.0, ..near.mask_lf };
    near.mask_hf = MaskingThresholds { enr_transparent: 0.3, enr_suppress: 1.0, ..near.mask_hf };
    near.max_inc_factor = 2.4;
    tuning
}
