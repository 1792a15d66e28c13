//! A room's password, kept so that a memory dump does not show it and the time of a comparison says nothing about it.
//!
//! A deliberately slow hash would stall every room for each guess, since one task owns the lobby; guesses are limited per connection instead
//! ([`crate::RateLimits::wrong_passwords`]), and passwords live only as long as the process.

use sha2::{Digest, Sha256};

#[derive(Debug, Clone)]
pub(crate) struct PasswordHash {
    salt: [u8; 16],
    digest: [u8; 32],
}

impl PasswordHash {
    pub(crate) fn new(password: &str, salt: [u8; 16]) -> Self {
        Self { salt, digest: digest(password, salt) }
    }

    pub(crate) fn matches(&self, password: &str) -> bool {
        let other = digest(password, self.salt);
        // Every byte is looked at, whatever the earlier ones were.
        self.digest.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }
}

fn digest(password: &str, salt: [u8; 16]) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(password).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_matches() {
        let hash = PasswordHash::new("correct horse", [7; 16]);
        assert!(hash.matches("correct horse"));
        for wrong in ["", "correct horsf", "Correct horse", "correct horse "] {
            assert!(!hash.matches(wrong), "{wrong:?}");
        }
        assert_ne!(hash.digest, PasswordHash::new("correct horse", [8; 16]).digest);
    }
}
