//! Bandwidth estimation over networks in virtual time.

mod bottleneck;
mod calls;
mod demand;
mod distrust;
mod loss;
mod network;
mod reports;
mod sharing;
mod survey;
mod wireless;
