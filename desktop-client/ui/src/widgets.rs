//! The controls that the views are made of: each has an accessible name, a tooltip and a visible focus.

mod avatar;
mod button;
mod card;
mod field;
mod icon;
mod label;
mod picker;
mod progress;
mod talk;
mod voice;

pub use avatar::avatar;
pub use button::{Button, Tone};
pub use card::{card, icon_in_line, message, row};
pub use field::Field;
pub use icon::Icon;
pub use label::{hint, line, line_in, paragraph};
pub use picker::device_pickers;
pub use progress::{spinner, spinner_in};
