//! Audio from encoder to loudspeaker, in virtual time.

mod call;
mod over_a_link;
mod properties;
mod streams;
