//! Text that other people wrote, drawn safely: controls removed, right-to-left parts put in order, long lines cut or wrapped, and glyphs for
//! scripts that the bundled fonts lack taken from the system.

mod bidi;
mod fit;
mod fonts;
mod safe;

pub use fit::{Look, one_line, wrapped};
pub use fonts::install;
pub use safe::{initials, safe};
