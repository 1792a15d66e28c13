//! What the benches share: clips to play, what processes cost, and a Socket.IO client that is cheap enough to be a load.
//!
//! Three programs: `signaling` (against Node and socket.io) and `participant` (against Chromium) print figures and their ratio to a named peer; `profiles`
//! has the same call made by desktop clients and by Chromium on networks that people have. `docs/PERFORMANCE.md` says what the figures mean.

pub mod clip;
pub mod processes;
pub mod socket_client;
