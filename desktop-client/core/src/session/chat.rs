//! The chat's history, bounded however much is written.

use std::collections::VecDeque;

use shared::PeerId;

use crate::snapshot::ChatLine;
use crate::text;

/// Longest line that is sent or kept, in bytes. Every data channel carries 16 KiB in one message (RFC 8831 §6.6).
pub(super) const LINE_MAX_BYTES: usize = 16 * 1024;

/// Most lines that are kept, and most bytes of them together: the history is part of every snapshot.
const LINES_MAX: usize = 500;
const HISTORY_MAX_BYTES: usize = 256 * 1024;

#[derive(Debug, Default)]
pub(super) struct ChatLog {
    lines: VecDeque<ChatLine>,
    bytes: usize,
    /// How many lines there ever were.
    written: u64,
}

impl ChatLog {
    /// Adds what somebody else wrote, made safe. False if nothing of it is left.
    pub(super) fn received(&mut self, from: PeerId, name: String, written: &str) -> bool {
        let text = text::multi_line(text::prefix(written, LINE_MAX_BYTES));
        if text.is_empty() {
            return false;
        }
        self.push(Some(from), name, text, 0);
        true
    }

    /// Adds what we wrote.
    pub(super) fn sent(&mut self, name: String, text: String, undelivered: u32) {
        self.push(None, name, text, undelivered);
    }

    pub(super) fn to_vec(&self) -> Vec<ChatLine> {
        self.lines.iter().cloned().collect()
    }

    fn push(&mut self, from: Option<PeerId>, name: String, text: String, undelivered: u32) {
        self.written += 1;
        self.bytes += text.len();
        self.lines.push_back(ChatLine { number: self.written, from, name, text, undelivered });
        while self.lines.len() > LINES_MAX || self.bytes > HISTORY_MAX_BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_costs_bounded_memory_and_keeps_the_newest() {
        let mut log = ChatLog::default();
        let peer = PeerId::parse("a").unwrap();
        for n in 0..2000 {
            log.received(peer.clone(), "Ada".into(), &n.to_string());
        }
        assert_eq!(log.lines.len(), LINES_MAX);
        assert_eq!(log.lines.back().unwrap().number, 2000);
        for _ in 0..100 {
            log.received(peer.clone(), "Ada".into(), &"ä".repeat(5_000_000));
        }
        assert!(log.bytes <= HISTORY_MAX_BYTES);
        assert!(log.to_vec().last().unwrap().text.len() <= LINE_MAX_BYTES);
        assert!(!log.received(peer, "Ada".into(), "\u{7}\u{202E} \n"));
    }
}
