//! Who calls whom.

use std::fmt;
use std::str::FromStr;

/// A program to call with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// A headless desktop client.
    Desktop,
    /// Headless Chromium on the room page.
    Chromium,
}

/// Two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The one behind the impaired link, who joins last.
    pub near: Client,
    /// The one on a perfect link, who is there already.
    pub far: Client,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Desktop => "desktop",
            Self::Chromium => "Chromium",
        })
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} – {}", self.near, self.far)
    }
}

impl Pair {
    /// As it is written on the command line.
    pub fn letters(self) -> String {
        [self.near, self.far]
            .map(|client| match client {
                Client::Desktop => 'd',
                Client::Chromium => 'c',
            })
            .iter()
            .collect()
    }
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let client = |letter| match letter {
            'd' => Some(Client::Desktop),
            'c' => Some(Client::Chromium),
            _ => None,
        };
        let mut letters = text.chars().map(client);
        match (letters.next(), letters.next(), letters.next()) {
            (Some(Some(near)), Some(Some(far)), None) => Ok(Self { near, far }),
            _ => Err("there are dd, dc, cd and cc".to_owned()),
        }
    }
}
