//! The way of a picture: camera thread → latest-wins slot → encode thread → subscriptions, and player → decode thread → latest-wins slot.

pub mod camera;
pub mod decode;
pub mod encode;
pub mod scale;
