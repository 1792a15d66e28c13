//! Video from packetiser to decoder, in virtual time.

mod call;
mod over_a_link;
mod properties;
mod sender;
mod switching;
