//! A call of two on a network that people have: desktop clients with each other, with Chromium, and Chromium with itself.
//!
//! One side's access link is impaired in both directions; the other side's and the server's are perfect. Everything goes that way: pictures, sound, and the
//! signaling that brings them about. Each side plays the same clip and the same speech, and tells what it has noticed of the other.

mod desktop;
mod page;
pub mod pair;
pub mod quality;
pub mod record;
pub mod run;
pub mod side;
