//! Packets that begin where the microphone's deliveries do. One that delivers as much as a packet holds, but in the middle of one, makes
//! every packet wait for the next delivery.

use super::block::Block;

/// Packets in a row that are seen to wait: more than an accident.
const SEEN: u32 = 10;

/// Largest sample of a block that nobody misses: -50 dB relative to full scale.
const QUIET: f32 = 0.003;

/// Blocks in a packet.
const BLOCKS: usize = 2;

/// Finds a quiet block to leave out.
#[derive(Debug, Default)]
pub struct PacketStart {
    waiting: u32,
}

impl PacketStart {
    /// A turn of the audio thread is over that took so many blocks from the microphone; after it a packet was incomplete, or none was.
    pub fn turn(&mut self, blocks: usize, incomplete: bool) {
        if blocks == BLOCKS {
            self.waiting = if incomplete { self.waiting + 1 } else { 0 };
        }
    }

    /// Whether this block shall be left out.
    pub fn leaves_out(&mut self, block: &Block) -> bool {
        let leaves_out = self.waiting >= SEEN && block.samples().iter().all(|sample| sample.abs() < QUIET);
        if leaves_out {
            self.waiting = 0;
        }
        leaves_out
    }
}

#[cfg(test)]
mod tests {
    use media_core::frame::SAMPLES_PER_BLOCK;

    use super::*;

    /// Blocks that are left out of so many deliveries; the packet is incomplete at first.
    fn left_out(deliveries: usize, blocks: usize, sample: f32) -> usize {
        let (mut start, mut pending, mut left_out) = (PacketStart::default(), 1, 0);
        let block = Block::from([sample; SAMPLES_PER_BLOCK]);
        for _ in 0..deliveries {
            for _ in 0..blocks {
                if start.leaves_out(&block) {
                    left_out += 1;
                } else {
                    pending = (pending + 1) % BLOCKS;
                }
            }
            start.turn(blocks, pending > 0);
        }
        left_out
    }

    #[test]
    fn one_quiet_block_is_left_out_if_that_helps() {
        assert_eq!(left_out(5, 2, 0.0), 0);
        assert_eq!(left_out(1_000, 2, 0.001), 1);
        assert_eq!(left_out(1_000, 2, 0.1), 0);
        assert_eq!(left_out(1_000, 1, 0.0), 0);
        assert_eq!(left_out(1_000, 3, 0.0), 0);
    }
}
