//! The thread that runs the switch against the clock.
//!
//! It waits in ppoll(2), whose timeout is exact to the nanosecond, under the real-time policy where that is allowed: it then preempts whatever else is running
//! and its timers have no slack. It needs little of a core, so nobody starves.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use media_core::sim::Profile;

use super::Port;
use super::switch::{Switch, Traffic};
use super::tap::Tap;

/// The longest wait, for an idle network.
const IDLE: Duration = Duration::from_secs(3_600);

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Relay {
    /// Unbounded, but each sender waits for its answer or sends once in a while.
    orders: Sender<Order>,
    bell: UnixStream,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Order {
    Impose(Port, Box<Profile>, SyncSender<()>),
    Traffic(Port, SyncSender<Traffic>),
    WorstLateness(SyncSender<Duration>),
    Stop,
}

impl Relay {
    /// Connects these interfaces.
    pub(super) fn start(taps: Vec<(Port, Tap)>, seed: u64) -> Result<Self> {
        let (orders, inbox) = mpsc::channel();
        let (bell, ear) = UnixStream::pair()?;
        ear.set_nonblocking(true)?;
        let switch = Switch::new(taps.iter().map(|(port, _)| *port), seed);
        let task = Task { taps, switch, inbox, ear, worst_lateness: Duration::ZERO };
        let thread = thread::Builder::new().name("relay".to_owned()).spawn(move || task.run())?;
        Ok(Self { orders, bell, thread: Some(thread) })
    }

    /// A link is like this from now on.
    pub(super) fn impose(&self, port: Port, profile: Profile) -> Result<()> {
        self.ask(|answer| Order::Impose(port, Box::new(profile), answer))
    }

    /// What has passed a link.
    pub(super) fn traffic(&self, port: Port) -> Result<Traffic> {
        self.ask(|answer| Order::Traffic(port, answer))
    }

    /// The most by which a frame was late.
    pub(super) fn worst_lateness(&self) -> Result<Duration> {
        self.ask(Order::WorstLateness)
    }

    fn ask<T>(&self, order: impl FnOnce(SyncSender<T>) -> Order) -> Result<T> {
        let (answer, reply) = mpsc::sync_channel(1);
        self.send(order(answer));
        reply.recv().context("the relay has ended")
    }

    fn send(&self, order: Order) {
        // Both fail only when the thread is gone, which whoever waits for an answer notices.
        let _ = self.orders.send(order);
        let _ = (&self.bell).write_all(&[0]);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.send(Order::Stop);
        // A panic there has been printed.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Task {
    taps: Vec<(Port, Tap)>,
    switch: Switch,
    inbox: Receiver<Order>,
    ear: UnixStream,
    worst_lateness: Duration,
}

impl Task {
    fn run(mut self) {
        // Without it everything works, only less exactly: [`Relay::worst_lateness`] tells.
        ask_for_real_time();
        while self.carry_out_orders() {
            self.take_frames();
            self.deliver();
            self.wait();
        }
    }

    /// Gives false when it is over.
    fn carry_out_orders(&mut self) -> bool {
        let mut rings = [0; 64];
        while (&self.ear).read(&mut rings).is_ok_and(|count| count > 0) {}
        while let Ok(order) = self.inbox.try_recv() {
            match order {
                Order::Impose(port, profile, answer) => {
                    self.switch.impose(port, &profile, Instant::now());
                    let _ = answer.send(());
                }
                Order::Traffic(port, answer) => {
                    let _ = answer.send(self.switch.traffic(port));
                }
                Order::WorstLateness(answer) => {
                    let _ = answer.send(self.worst_lateness);
                }
                Order::Stop => return false,
            }
        }
        true
    }

    fn take_frames(&mut self) {
        for (port, tap) in &self.taps {
            // An interface that is gone gives errors for ever; its host is gone with it.
            while let Ok(Some(frame)) = tap.read() {
                self.switch.handle(*port, frame, Instant::now());
            }
        }
    }

    fn deliver(&mut self) {
        let mut now = Instant::now();
        while let Some((port, due, frame)) = self.switch.poll(now) {
            if let Some((_, tap)) = self.taps.get(port.index()) {
                tap.write(&frame);
            }
            self.worst_lateness = self.worst_lateness.max(now.saturating_duration_since(due));
            now = Instant::now();
        }
    }

    /// Until a frame is due, comes, or an order does.
    fn wait(&self) {
        let due = self.switch.timeout();
        let pause = due.map_or(IDLE, |due| due.saturating_duration_since(Instant::now()));
        let files = self.taps.iter().map(|(_, tap)| tap.as_raw_fd()).chain([self.ear.as_raw_fd()]);
        let mut polled: Vec<libc::pollfd> =
            files.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }).collect();
        let pause = libc::timespec {
            tv_sec: libc::time_t::try_from(pause.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(pause.subsec_nanos().cast_signed()),
        };
        let count = polled.len() as libc::nfds_t;
        // SAFETY: `polled` has `count` entries and outlives the call, as does `pause`; no signal mask is given.
        let ready = unsafe { libc::ppoll(polled.as_mut_ptr(), count, &raw const pause, std::ptr::null()) };
        if ready < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            // It cannot happen with files that are open. If it did, this would be a busy loop.
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Asks for the lowest real-time priority, which is above all that have none (sched(7)).
fn ask_for_real_time() -> bool {
    let parameters = libc::sched_param { sched_priority: 1 };
    // SAFETY: the pointer is to a whole structure that outlives the call; 0 is the calling thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) == 0 }
}
