//! What a person sees at the start, on standard output: where the server listens, which links guests can open, and what keeps a guest's browser
//! from using a camera. Scripts read the lines that begin with `listening on `.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What the text is made of.
pub struct Banner<'a> {
    /// Where the listeners really are, and whether connections with each are secured.
    pub addresses: &'a [(SocketAddr, bool)],
    /// This machine's addresses for others in its network.
    pub own_addresses: &'a [IpAddr],
    /// Of the server's own certificate.
    pub fingerprint: Option<&'a str>,
}

impl Banner<'_> {
    /// Prints the text. That nobody reads it is no reason to stop.
    pub fn print(&self) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(self.text().as_bytes()).and_then(|()| out.flush());
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (address, secured) in self.addresses {
            let _ = writeln!(text, "listening on {}", url(*address, *secured));
        }
        let links = self.links();
        let _ = writeln!(text, "\nOpen a room here, and send its link to your guests:");
        for Link { address, secured, who } in &links {
            let _ = writeln!(text, "  {}/  ({who})", url(*address, *secured));
        }
        let others_in_the_clear = links.iter().any(|link| !link.address.ip().is_loopback() && !link.secured);
        if let Some(fingerprint) = self.fingerprint {
            let _ = writeln!(
                text,
                "\nThe certificate is the server's own. Browsers warn of it once; it is the right one when its SHA-256 fingerprint is\n  {fingerprint}"
            );
        } else if others_in_the_clear {
            let _ = writeln!(
                text,
                "\nBrowsers on other devices give a page no camera or microphone without TLS.\nFor guests in this network, start with --tls self-signed."
            );
        }
        text
    }

    /// Addresses that can be opened, and by whom.
    fn links(&self) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        for &(address, secured) in self.addresses {
            let mut found: Vec<IpAddr> = vec![address.ip()];
            if address.ip().is_unspecified() {
                let reached = |own: &&IpAddr| own.is_ipv4() || address.is_ipv6();
                let loopback =
                    if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
                found = vec![loopback];
                found.extend(self.own_addresses.iter().filter(reached));
            }
            for ip in found {
                let who = if ip.is_loopback() { "this computer" } else { "guests in this network" };
                let link = Link { address: SocketAddr::new(ip, address.port()), secured, who };
                if !links.contains(&link) {
                    links.push(link);
                }
            }
        }
        links
    }
}

/// An address that can be opened.
#[derive(PartialEq)]
struct Link {
    address: SocketAddr,
    secured: bool,
    who: &'static str,
}

fn url(address: SocketAddr, secured: bool) -> String {
    format!("{}://{address}", if secured { "https" } else { "http" })
}

/// This machine's addresses that others in its network can reach.
pub fn own_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let reachable = |ip: &IpAddr| match ip {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    };
    let mut addresses: Vec<IpAddr> =
        interfaces.iter().map(if_addrs::Interface::ip).filter(reachable).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(addresses: &[&str], tls: bool, fingerprint: Option<&str>) -> String {
        let addresses: Vec<(SocketAddr, bool)> =
            addresses.iter().map(|address| (address.parse().unwrap(), tls)).collect();
        let own_addresses = ["192.168.1.5".parse().unwrap(), "2001:db8::5".parse().unwrap()];
        Banner { addresses: &addresses, own_addresses: &own_addresses, fingerprint }.text()
    }

    #[test]
    fn on_all_addresses_every_link_is_shown() {
        let text = text(&["0.0.0.0:3000"], false, None);
        assert!(text.starts_with("listening on http://0.0.0.0:3000\n"), "{text}");
        assert!(text.contains("http://192.168.1.5:3000/  (guests in this network)"), "{text}");
        assert!(text.contains("http://127.0.0.1:3000/  (this computer)"), "{text}");
        assert!(!text.contains("2001:db8"), "an IPv4 listener has no IPv6 links: {text}");
        assert!(text.contains("--tls self-signed"), "{text}");
    }

    #[test]
    fn a_loopback_server_needs_no_advice() {
        let text = text(&["127.0.0.1:40123"], false, None);
        assert!(text.starts_with("listening on http://127.0.0.1:40123\n"), "{text}");
        assert!(!text.contains("TLS"), "{text}");
    }

    #[test]
    fn ipv6_links_have_brackets_and_the_fingerprint_is_shown() {
        let text = text(&["[::]:443"], true, Some("AB:CD"));
        for part in ["https://[::]:443", "https://[2001:db8::5]:443/", "https://192.168.1.5:443/", "AB:CD"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("--tls"), "{text}");
    }
}
