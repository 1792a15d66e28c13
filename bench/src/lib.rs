//! What both benches need: what processes cost, and a Socket.IO client that is cheap enough to be a load.
//!
//! Two programs, each of which prints figures and their ratio to a named peer: `signaling` (against Node and socket.io) and `participant`
//! (against Chromium). `docs/PERFORMANCE.md` says what the figures mean.

pub mod processes;
pub mod socket_client;
