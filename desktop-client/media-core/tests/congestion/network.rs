//! Senders that pace at their estimate through one bottleneck, and receivers that report what arrived.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use media_core::audio::encodings::SoundMode;
use media_core::audio::thin_path::ThinPath;
use media_core::bitrate::Bitrate;
use media_core::congestion::{BandwidthEstimator, Gcc, GccConfig, PacketResult, Probe, ProbeSent};
use media_core::sim::{self, Link, LinkConfig, Profile, Step};

/// Bytes of a media packet.
pub const PACKET: usize = 1_200;

/// Least bytes of a packet that fills a probe.
const SMALL_PACKET: usize = 120;

/// Virtual time goes in steps of this; packets leave at their exact times.
const STEP: Duration = Duration::from_millis(1);

/// Figures are taken this often.
const SAMPLE: Duration = Duration::from_millis(100);

/// Time between pictures, and how much faster than the estimate their packets leave, when a flow sends pictures.
const PICTURE: Duration = Duration::from_micros(33_333);
const PACING: f64 = 2.5;

/// A packet of sound each 20 ms, and a long one each 60 ms on thin paths, with headers.
const SOUND: (Duration, usize) = (Duration::from_millis(20), 150);
const THIN_SOUND: (Duration, usize) = (Duration::from_millis(60), 190);

/// Pictures of a call end below this rate and come back above that one.
const PICTURES_END: Bitrate = Bitrate::kbps(32);
const PICTURES_BEGIN: Bitrate = Bitrate::kbps(42);

/// Zero of the receivers' clocks.
const CLOCK: Duration = Duration::from_secs(1_000);

#[derive(Debug, Clone, Copy)]
struct Packet {
    flow: usize,
    sequence: u64,
}

/// Sequence numbers and when they arrived by the receiver's clock.
#[derive(Debug, Clone)]
struct Report {
    flow: usize,
    results: Vec<(u64, Option<Duration>)>,
}

/// What a flow was like in a tenth of a second.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Seconds since the start.
    pub at: f64,
    /// The estimate in kbit/s.
    pub estimate: f64,
    /// What arrived, in kbit/s.
    pub received: f64,
    /// What a packet waits at the bottleneck, in ms.
    pub queue: f64,
}

#[derive(Debug)]
enum Source {
    Adaptive { estimator: Box<Gcc>, demand: Bitrate },
    Constant(Bitrate),
}

#[derive(Debug)]
struct ActiveProbe {
    probe: Probe,
    first: Instant,
    bytes: usize,
    packets: usize,
}

/// What a client sends in a call: sound whatever the estimate, and pictures with the rest of it.
#[derive(Debug, Default)]
struct Call {
    thin_path: ThinPath,
    pictures: bool,
    next_sound: Option<Instant>,
    next_picture: Option<Instant>,
    /// When packets leave, and their bytes.
    queue: VecDeque<(Instant, usize)>,
}

impl Call {
    /// When and how large the next packet is.
    fn next(&mut self, estimate: Bitrate, demand: Bitrate, at: Instant) -> (Instant, usize) {
        while self.queue.is_empty() {
            let sound = *self.next_sound.get_or_insert(at);
            let picture = *self.next_picture.get_or_insert(at);
            let thin = self.thin_path.update(estimate, SoundMode::Voice, sound.min(picture));
            let (interval, bytes) = if thin { THIN_SOUND } else { SOUND };
            if sound <= picture {
                self.queue.push_back((sound, bytes));
                self.next_sound = Some(sound + interval);
                continue;
            }
            self.next_picture = Some(picture + PICTURE);
            let sound_rate = Bitrate::bps((bytes as f64 * 8.0 / interval.as_secs_f64()) as u64);
            let rate =
                Bitrate::bps(estimate.as_bps().saturating_sub(sound_rate.as_bps())).scale(0.95).min(demand);
            self.pictures = rate >= if self.pictures { PICTURES_END } else { PICTURES_BEGIN };
            let mut bytes = if self.pictures { rate.bytes_in(PICTURE) as usize } else { 0 };
            let mut leaves = picture;
            while bytes > 0 {
                let packet = bytes.min(PACKET);
                self.queue.push_back((leaves, packet + 60));
                bytes -= packet;
                leaves += estimate.scale(PACING).time_for(packet as u64).unwrap_or_default();
            }
        }
        self.queue[0]
    }
}

/// One sender and its receiver.
#[derive(Debug)]
pub struct Flow {
    source: Source,
    starts: Instant,
    next_packet: Instant,
    sequence: u64,
    in_flight: BTreeMap<u64, (Instant, usize)>,
    probe: Option<ActiveProbe>,
    /// Sends what a call does instead of all that the estimate allows.
    call: Option<Call>,
    /// The receiver takes nothing before.
    hears_from: Instant,
    arrived: BTreeMap<u64, Duration>,
    reported: u64,
    next_report: Instant,
    report_interval: Duration,
    /// Whether packets leave in bursts, one for each picture, or evenly.
    pub pictures: bool,
    /// Time between pictures.
    pub picture_interval: Duration,
    next_picture: Instant,
    picture_bytes: u64,
    /// Seconds that the receiver's clock gains per second.
    pub drift: f64,
    received_bytes: u64,
    pub samples: Vec<Sample>,
}

impl Flow {
    fn new(source: Source, starts: Instant) -> Self {
        Self {
            source,
            starts,
            next_packet: starts,
            sequence: 0,
            in_flight: BTreeMap::new(),
            probe: None,
            call: None,
            hears_from: starts,
            arrived: BTreeMap::new(),
            reported: 0,
            next_report: starts,
            report_interval: Duration::from_millis(70),
            pictures: false,
            picture_interval: PICTURE,
            next_picture: starts,
            picture_bytes: 0,
            drift: 0.0,
            received_bytes: 0,
            samples: Vec::new(),
        }
    }

    fn rate(&self) -> Bitrate {
        match &self.source {
            Source::Adaptive { estimator, demand } => estimator.estimate().min(*demand),
            Source::Constant(rate) => *rate,
        }
    }

    fn send(&mut self, bytes: usize, at: Instant) -> u64 {
        self.sequence += 1;
        self.in_flight.insert(self.sequence, (at, bytes));
        if let Source::Adaptive { estimator, .. } = &mut self.source {
            estimator.on_sent(bytes, at);
        }
        self.sequence
    }

    /// The next packet that leaves up to now: when, which, and its size.
    fn poll_packet(&mut self, now: Instant) -> Option<(Instant, u64, usize)> {
        if self.next_packet > now {
            return None;
        }
        let at = self.next_packet;
        self.begin_probe(at);
        if self.probe.is_none()
            && let Some(call) = &mut self.call
        {
            let (_, bytes) = call.queue.pop_front()?;
            let sequence = self.send(bytes, at);
            self.next_packet = self.after_call(at)?;
            return Some((at, sequence, bytes));
        }
        let Some(active) = self.probe.as_mut() else {
            self.next_packet = self.after_media(at)?;
            return Some((at, self.send(PACKET, at), PACKET));
        };
        let bytes = (active.probe.bytes / active.probe.packets).clamp(SMALL_PACKET, PACKET);
        active.bytes += bytes;
        active.packets += 1;
        let id = active.probe.id;
        let first = active.first;
        let (rate, total) = (active.probe.rate, active.bytes);
        let complete = total >= active.probe.bytes && active.packets >= active.probe.packets;
        let sequence = self.send(bytes, at);
        if complete {
            self.probe = None;
            if let Source::Adaptive { estimator, .. } = &mut self.source {
                estimator.on_probe_sent(ProbeSent { id, first, last: at }, at);
            }
            if self.call.is_some() {
                self.next_packet = self.after_call(at)?;
                return Some((at, sequence, bytes));
            }
            // Media made up the probe as far as there was any: the next packet is due when its time has come again.
            self.next_packet = at + self.rate().time_for(total as u64)?;
        } else {
            self.next_packet = at + rate.time_for(bytes as u64)?;
        }
        Some((at, sequence, bytes))
    }

    fn after_call(&mut self, at: Instant) -> Option<Instant> {
        let Source::Adaptive { estimator, demand } = &self.source else { return None };
        let (estimate, demand) = (estimator.estimate(), *demand);
        self.call.as_mut().map(|call| call.next(estimate, demand, at).0.max(at))
    }

    /// When the next packet of media is due.
    fn after_media(&mut self, at: Instant) -> Option<Instant> {
        let rate = self.rate();
        if !self.pictures {
            return Some(at + rate.time_for(PACKET as u64)?);
        }
        self.picture_bytes = self.picture_bytes.saturating_sub(PACKET as u64);
        if self.picture_bytes >= PACKET as u64 {
            return Some(at + rate.scale(PACING).time_for(PACKET as u64)?);
        }
        while self.picture_bytes < PACKET as u64 {
            self.next_picture =
                self.next_picture.max(at.checked_sub(self.picture_interval)?) + self.picture_interval;
            self.picture_bytes += rate.bytes_in(self.picture_interval);
        }
        Some(self.next_picture.max(at))
    }

    fn begin_probe(&mut self, at: Instant) {
        if self.probe.is_none()
            && let Source::Adaptive { estimator, .. } = &mut self.source
            && let Some(probe) = estimator.poll_probe()
        {
            self.probe = Some(ActiveProbe { probe, first: at, bytes: 0, packets: 0 });
        }
    }

    fn arrive(&mut self, sequence: u64, at: Instant) {
        let Some((_, bytes)) = self.in_flight.get(&sequence) else { return };
        if at < self.hears_from {
            return;
        }
        self.received_bytes += *bytes as u64;
        let local = at.duration_since(sim::epoch()).mul_f64(1.0 + self.drift);
        self.arrived.entry(sequence).or_insert(CLOCK + local);
    }

    /// All from the first unreported number to the highest one.
    fn poll_report(&mut self, now: Instant) -> Option<Vec<(u64, Option<Duration>)>> {
        if now < self.next_report {
            return None;
        }
        self.next_report = now + self.report_interval;
        let highest = *self.arrived.last_key_value()?.0;
        let first = self.reported + 1;
        let results =
            (first..=highest).map(|sequence| (sequence, self.arrived.get(&sequence).copied())).collect();
        self.reported = self.reported.max(highest);
        self.arrived.clear();
        Some(results)
    }

    fn take_report(&mut self, results: &[(u64, Option<Duration>)], now: Instant) {
        let mut known = Vec::with_capacity(results.len());
        for (sequence, arrival) in results {
            if let Some((departure, bytes)) = self.in_flight.remove(sequence) {
                known.push(PacketResult { departure, arrival: *arrival, bytes });
            }
        }
        if let Source::Adaptive { estimator, .. } = &mut self.source {
            estimator.on_feedback(&known, now);
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Source::Adaptive { estimator, .. } = &mut self.source
            && estimator.poll_timeout().is_some_and(|at| at <= now)
        {
            estimator.handle_timeout(now);
        }
    }

    /// The mean of a figure between two times in seconds.
    pub fn mean(&self, from: f64, to: f64, figure: impl Fn(&Sample) -> f64) -> f64 {
        let values: Vec<f64> = self.between(from, to).map(figure).collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    }

    /// The largest value of a figure between two times in seconds.
    pub fn most(&self, from: f64, to: f64, figure: impl Fn(&Sample) -> f64) -> f64 {
        self.between(from, to).map(figure).fold(0.0, f64::max)
    }

    /// The first time in seconds, from one on, at which something holds.
    pub fn first(&self, from: f64, holds: impl Fn(&Sample) -> bool) -> Option<f64> {
        self.samples.iter().find(|sample| sample.at >= from && holds(sample)).map(|sample| sample.at)
    }

    fn between(&self, from: f64, to: f64) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| (from..to).contains(&sample.at))
    }
}

/// A bottleneck, the way back, and who shares them.
#[derive(Debug)]
pub struct Network {
    up: Link<Packet>,
    down: Link<Report>,
    pub flows: Vec<Flow>,
    now: Instant,
    next_sample: Instant,
}

impl Network {
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self::of(&Profile::both(config), seed)
    }

    pub fn named(profile: &str, seed: u64) -> Self {
        let profile = Profile::named(profile);
        assert!(profile.is_some(), "no such profile");
        Self::of(&profile.unwrap_or_else(Profile::wifi), seed)
    }

    pub fn stepped(steps: &[(f64, LinkConfig)], seed: u64) -> Self {
        let steps: Vec<Step> = steps
            .iter()
            .map(|(after, config)| Step { after: Duration::from_secs_f64(*after), config: *config })
            .collect();
        Self::of(&Profile { up: steps.clone(), down: steps }, seed)
    }

    fn of(profile: &Profile, seed: u64) -> Self {
        Self {
            up: Link::with_steps(&profile.up, sim::epoch(), seed),
            down: Link::with_steps(&profile.down, sim::epoch(), seed ^ 0x5EED),
            flows: Vec::new(),
            now: sim::epoch(),
            next_sample: sim::epoch() + SAMPLE,
        }
    }

    /// Adds a flow that follows its estimate, up to a demand in kbit/s, from a time in seconds on.
    pub fn adaptive(mut self, demand: u64, starts: f64) -> Self {
        let starts = sim::epoch() + Duration::from_secs_f64(starts);
        let demand = Bitrate::kbps(demand);
        let mut estimator = Box::new(Gcc::new(GccConfig::default(), starts));
        estimator.set_demand(demand, starts);
        self.flows.push(Flow::new(Source::Adaptive { estimator, demand }, starts));
        self
    }

    /// Adds a call whose connecting took a time in seconds: sound, and pictures of up to 800 kbit/s as far as the estimate allows them. The receiver is not ready for
    /// another time.
    pub fn call(mut self, setup: f64, deaf: f64) -> Self {
        let starts = sim::epoch() + Duration::from_secs_f64(setup);
        let demand = Bitrate::kbps(800);
        let mut estimator = Box::new(Gcc::new(GccConfig::default(), sim::epoch()));
        estimator.set_demand(Bitrate::kbps(930), sim::epoch());
        let mut flow = Flow::new(Source::Adaptive { estimator, demand }, starts);
        flow.call = Some(Call::default());
        flow.hears_from = starts + Duration::from_secs_f64(deaf);
        flow.after_call(starts);
        self.flows.push(flow);
        self
    }

    /// Adds a flow that does not care.
    pub fn constant(mut self, kbps: u64, starts: f64) -> Self {
        let starts = sim::epoch() + Duration::from_secs_f64(starts);
        self.flows.push(Flow::new(Source::Constant(Bitrate::kbps(kbps)), starts));
        self
    }

    /// Goes on up to a time in seconds.
    pub fn run_to(&mut self, seconds: f64) -> &mut Self {
        let end = sim::epoch() + Duration::from_secs_f64(seconds);
        while self.now < end {
            self.now += STEP;
            self.send();
            self.deliver();
            if self.now >= self.next_sample {
                self.sample();
            }
        }
        self
    }

    pub fn set_demand(&mut self, flow: usize, kbps: u64) {
        let now = self.now;
        if let Source::Adaptive { estimator, demand } = &mut self.flows[flow].source {
            *demand = Bitrate::kbps(kbps);
            estimator.set_demand(*demand, now);
        }
    }

    /// A flow sends nothing more.
    pub fn end(&mut self, flow: usize) {
        self.flows[flow].next_packet = sim::epoch() + Duration::from_secs(1_000_000);
    }

    fn send(&mut self) {
        // Flows take turns in the order of time, as they would at a router.
        loop {
            let next = (0..self.flows.len()).min_by_key(|flow| self.flows[*flow].next_packet);
            let Some(flow) = next else { return };
            let Some((at, sequence, bytes)) = self.flows[flow].poll_packet(self.now) else { return };
            self.up.send(Packet { flow, sequence }, bytes, at);
        }
    }

    fn deliver(&mut self) {
        while let Some((at, packet)) = self.up.receive(self.now) {
            self.flows[packet.flow].arrive(packet.sequence, at);
        }
        for (index, flow) in self.flows.iter_mut().enumerate() {
            if let Some(results) = flow.poll_report(self.now) {
                let bytes = 60 + 2 * results.len();
                self.down.send(Report { flow: index, results }, bytes, self.now);
            }
            flow.tick(self.now);
        }
        while let Some((at, report)) = self.down.receive(self.now) {
            self.flows[report.flow].take_report(&report.results, at.max(self.now));
        }
    }

    fn sample(&mut self) {
        self.next_sample += SAMPLE;
        let at = self.now.duration_since(sim::epoch()).as_secs_f64();
        let queue = self.up.queue_delay(self.now).as_secs_f64() * 1e3;
        for flow in self.flows.iter_mut().filter(|flow| flow.starts <= self.now) {
            let received = std::mem::take(&mut flow.received_bytes) as f64 * 8.0 / 1e3 / SAMPLE.as_secs_f64();
            let estimate = match &flow.source {
                Source::Adaptive { estimator, .. } => estimator.estimate().as_bps() as f64 / 1e3,
                Source::Constant(rate) => rate.as_bps() as f64 / 1e3,
            };
            flow.samples.push(Sample { at, estimate, received, queue });
        }
    }
}
