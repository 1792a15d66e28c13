//! Picture and sound are brought together, slowly, and only on good evidence.

use std::time::{Duration, Instant};

use media_core::playout::PlayoutPoint;
use media_core::playout::sync::{LipSync, LipSyncConfig, LipSyncInput, SenderReport, Stream};
use media_core::sim;

/// NTP seconds of some day in 2026.
const NTP_START: u64 = 3_990_000_000;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A sender with one clock, and a receiver that shows and hears at some latencies.
struct Call {
    sync: LipSync,
    now: Instant,
    /// Latency of the picture without a delay that was asked for, and of the sound.
    video: Duration,
    audio: Duration,
    reports: bool,
    /// Added to the NTP time of the audio's reports, in seconds.
    audio_clock_error: i64,
    no_wall_clock: bool,
}

impl Call {
    fn new(video_ms: u64, audio_ms: u64) -> Self {
        let mut sync = LipSync::new(LipSyncConfig::default());
        sync.handle(LipSyncInput::Source(Stream::Audio, 1), sim::epoch());
        sync.handle(LipSyncInput::Source(Stream::Video, 2), sim::epoch());
        Self {
            sync,
            // Media times wrap soon after the start.
            now: sim::epoch() + ms(1_000),
            video: ms(video_ms),
            audio: ms(audio_ms),
            reports: true,
            audio_clock_error: 0,
            no_wall_clock: false,
        }
    }

    fn rtp(&self, rate: u32, latency: Duration) -> u32 {
        let taken = (self.now - sim::epoch()).saturating_sub(latency);
        0_u32
            .wrapping_sub(5 * rate)
            .wrapping_add((taken.as_nanos() * u128::from(rate) / 1_000_000_000) as u32)
    }

    fn report(&mut self, ssrc: u32, rate: u32, clock_error: i64) {
        let nanos = (self.now - sim::epoch()).as_nanos() as u64;
        let seconds = NTP_START.wrapping_add_signed(clock_error) + nanos / 1_000_000_000;
        let fraction = ((nanos % 1_000_000_000) << 32) / 1_000_000_000;
        let ntp = if self.no_wall_clock { 0 } else { seconds << 32 | fraction };
        let report = SenderReport { ssrc, ntp, rtp: self.rtp(rate, ms(0)), arrival: self.now };
        self.sync.handle(LipSyncInput::Report(report), self.now);
    }

    fn shown_latency(&self) -> Duration {
        self.video + self.sync.video_delay()
    }

    fn heard_latency(&self) -> Duration {
        self.audio + self.sync.audio_delay()
    }

    fn true_offset(&self) -> f64 {
        (self.heard_latency().as_secs_f64() - self.shown_latency().as_secs_f64()) * 1e3
    }

    fn run(&mut self, seconds: u64) {
        for tick in 0..seconds * 10 {
            self.now += ms(100);
            if self.reports && tick % 10 == 0 {
                self.report(1, 48_000, self.audio_clock_error);
                self.report(2, 90_000, 0);
            }
            let heard = PlayoutPoint { timestamp: self.rtp(48_000, self.heard_latency()), at: self.now };
            self.sync.handle(LipSyncInput::Heard(heard), self.now);
            let shown = PlayoutPoint { timestamp: self.rtp(90_000, self.shown_latency()), at: self.now };
            self.sync.handle(LipSyncInput::Shown(shown, self.sync.video_delay()), self.now);
        }
    }
}

#[test]
fn an_offset_that_nobody_notices_is_left() {
    for (video, audio) in [(40, 40), (20, 45), (60, 35)] {
        let mut call = Call::new(video, audio);
        call.run(30);
        assert_eq!((call.sync.video_delay(), call.sync.audio_delay()), (ms(0), ms(0)));
        let offset = call.sync.offset_ms().unwrap();
        assert!((offset - (audio as f64 - video as f64)).abs() < 1.0, "{offset}");
    }
}

#[test]
fn a_picture_that_is_early_is_delayed_until_the_offset_is_tolerable() {
    for audio in [80, 150, 350] {
        let mut call = Call::new(10, audio);
        call.run(60);
        assert!((25.0..35.0).contains(&call.true_offset()), "{}", call.true_offset());
        assert_eq!(call.sync.audio_delay(), ms(0));
        assert!((call.sync.offset_ms().unwrap() - call.true_offset()).abs() < 1.0);
    }
}

#[test]
fn a_sound_that_is_early_is_delayed() {
    let mut call = Call::new(200, 60);
    call.run(60);
    assert!((-35.0..-25.0).contains(&call.true_offset()), "{}", call.true_offset());
    assert_eq!(call.sync.video_delay(), ms(0));
}

#[test]
fn sound_that_waits_for_the_picture_does_not_follow_all_its_moves() {
    let mut call = Call::new(200, 60);
    call.run(60);
    let (mut moved, mut before) = (ms(0), call.sync.audio_delay());
    for second in 0..60 {
        call.video = ms(if second % 6 < 3 { 185 } else { 200 });
        call.run(1);
        moved += call.sync.audio_delay().abs_diff(before);
        before = call.sync.audio_delay();
    }
    assert!(moved < ms(80), "{moved:?} in a minute");
}

#[test]
fn sound_that_need_not_wait_any_longer_gives_all_of_it_back() {
    let mut call = Call::new(200, 60);
    call.run(60);
    call.video = ms(80);
    call.run(60);
    assert_eq!(call.sync.audio_delay(), ms(0));
}

#[test]
fn the_delay_moves_by_ten_milliseconds_a_second_at_most() {
    let mut call = Call::new(10, 350);
    call.run(2);
    let mut before = call.sync.video_delay();
    for _ in 0..20 {
        call.run(1);
        let step = call.sync.video_delay() - before;
        assert!((ms(8)..=ms(11)).contains(&step), "{step:?}");
        before = call.sync.video_delay();
    }
}

#[test]
fn when_the_sound_catches_up_the_picture_does_too() {
    let mut call = Call::new(10, 200);
    call.run(60);
    call.audio = ms(40);
    call.run(60);
    assert_eq!(call.sync.video_delay(), ms(0));
}

#[test]
fn there_is_a_bound_to_what_is_asked_for() {
    let mut call = Call::new(10, 3_000);
    call.run(120);
    assert_eq!(call.sync.video_delay(), ms(400));
    let mut call = Call::new(3_000, 10);
    call.run(120);
    assert_eq!(call.sync.audio_delay(), ms(200));
}

#[test]
fn without_reports_nothing_is_done() {
    let mut call = Call::new(10, 200);
    call.reports = false;
    call.run(30);
    assert_eq!((call.sync.offset_ms(), call.sync.video_delay()), (None, ms(0)));
}

#[test]
fn reports_that_make_no_sense_are_ignored() {
    for error in [-3_000_000_000, -3_600, -2, 2, 3_600, 200_000_000] {
        let mut call = Call::new(10, 200);
        call.audio_clock_error = error;
        call.run(30);
        assert_eq!((call.sync.offset_ms(), call.sync.video_delay()), (None, ms(0)), "{error} s");
    }
    let mut call = Call::new(10, 200);
    call.no_wall_clock = true;
    call.run(30);
    assert_eq!(call.sync.offset_ms(), None);
}

#[test]
fn when_reports_end_the_delay_is_given_back() {
    let mut call = Call::new(10, 100);
    call.run(30);
    assert!(call.sync.video_delay() > ms(40));
    call.reports = false;
    call.run(59);
    assert!(call.sync.video_delay() > ms(40));
    call.run(20);
    assert_eq!((call.sync.offset_ms(), call.sync.video_delay()), (None, ms(0)));
}

#[test]
fn a_new_source_needs_its_own_reports() {
    let mut call = Call::new(10, 100);
    call.run(10);
    call.sync.handle(LipSyncInput::Source(Stream::Video, 9), call.now);
    call.run(5);
    assert_eq!(call.sync.offset_ms(), None);
}
