//! Where to listen.

use std::net::{SocketAddr, ToSocketAddrs};

use anyhow::Context;

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// Where.
    pub address: SocketAddr,
    /// In the clear even when the server has a certificate: for this computer, where browsers ask for none.
    pub plain: bool,
}

/// All addresses that these texts name, each once, in order. A host name may stand for several (`localhost` has an IPv4 and an IPv6 address).
pub fn resolve(texts: &[String]) -> anyhow::Result<Vec<Listen>> {
    let mut addresses: Vec<Listen> = Vec::new();
    for text in texts {
        let (address, plain) = match text.strip_prefix("http://") {
            Some(rest) => (rest, true),
            None => (text.as_str(), false),
        };
        // Resolving looks plain addresses up nowhere.
        let found = address.to_socket_addrs().with_context(|| {
            format!("cannot listen on \"{text}\": write ADDRESS:PORT, such as 0.0.0.0:3000 or [::]:3000")
        })?;
        for address in found {
            // Port 0 is a new port each time.
            if address.port() == 0 || !addresses.iter().any(|known| known.address == address) {
                addresses.push(Listen { address, plain });
            }
        }
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_are_understood_and_nonsense_is_explained() {
        let texts = ["0.0.0.0:3000", "[::1]:0", "0.0.0.0:3000"].map(str::to_owned);
        let expected = ["0.0.0.0:3000", "[::1]:0"]
            .map(|address| Listen { address: address.parse().unwrap(), plain: false });
        assert_eq!(resolve(&texts).unwrap(), expected);
        for bad in ["", "3000", "127.0.0.1", "::1:x", "127.0.0.1:99999"] {
            let error = resolve(&[bad.to_owned()]).unwrap_err().to_string();
            assert!(error.contains("ADDRESS:PORT"), "{bad}: {error}");
        }
    }

    #[test]
    fn an_address_may_be_kept_in_the_clear() {
        let texts = ["http://127.0.0.1:3000", "0.0.0.0:3443"].map(str::to_owned);
        assert_eq!(
            resolve(&texts).unwrap().iter().map(|listen| listen.plain).collect::<Vec<_>>(),
            [true, false]
        );
        assert!(resolve(&["https://0.0.0.0:3443".to_owned()]).is_err());
    }
}
