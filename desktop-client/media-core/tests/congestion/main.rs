//! Bandwidth estimation over networks in virtual time.

mod network;
mod survey;
