//! What the benches share: calls on impaired networks, clips to play, what processes cost, and a Socket.IO client that is cheap enough to be a load.
//!
//! Four programs: `signaling` (against Node and socket.io) and `participant` (against Chromium) print figures and their ratio to a named peer; `profiles`
//! and `audio` have the same call made by desktop clients and by Chromium on networks that people have, the one to be looked at, the other to be listened
//! to. `docs/PERFORMANCE.md` says what the figures mean.

pub mod call;
pub mod clip;
pub mod processes;
pub mod socket_client;
