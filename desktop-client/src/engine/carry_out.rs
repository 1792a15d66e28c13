//! Carries out the session's orders.

use std::sync::Arc;

use call_core::session::{Output, Settings, SignalingOrder};
use url::Url;

use super::Engine;
use crate::rest;
use crate::settings::SettingsError;
use crate::tls::HostPort;

impl Engine {
    pub(super) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Signaling(order) => self.signaling_order(order),
            Output::Link { link, order } => self.links.order(&link, order),
            Output::Rest(order) => {
                let (answers, trust) = (self.rest_answers.clone(), self.trust.borrow().clone());
                tokio::spawn(async move {
                    // The engine is gone only when the program ends.
                    let (answer, certificate) = rest::perform(order, &trust).await;
                    let _ = answers.send((answer, certificate.map(|certificate| certificate.report()))).await;
                });
            }
            Output::Media(order) => self.devices.carry_out(order),
            Output::Persist(settings) => self.persist(settings),
            Output::TrustCertificate { host, fingerprint } => self.pin(&host, &fingerprint),
            Output::SnapshotChanged => {
                self.snapshots.send_replace(Arc::new(self.session.snapshot()));
                (self.repaint)();
            }
        }
    }

    fn signaling_order(&mut self, order: SignalingOrder) {
        if let SignalingOrder::Connect { url } = &order {
            self.links.connecting(is_loopback(url));
            self.unreachable.send_replace(None);
        }
        // The task takes orders at once; a full queue means that it is gone, and then the program is ending.
        if self.signaling.try_send(order).is_err() {
            tracing::error!("the signaling task takes no orders");
        }
    }

    fn persist(&self, settings: Settings) {
        let Some(file) = &self.settings else { return };
        log(file.update(|stored| stored.remember(settings)));
    }

    fn pin(&mut self, host: &str, fingerprint: &str) {
        let (Ok(host), Ok(fingerprint)) = (host.parse::<HostPort>(), fingerprint.parse()) else {
            return tracing::warn!("a certificate that was reported as untrusted cannot be named any more");
        };
        self.trust.send_modify(|trust| trust.pin(host.clone(), fingerprint));
        if let Some(file) = &self.settings {
            log(file.update(|stored| {
                stored.pins.insert(host, fingerprint);
            }));
        }
    }
}

fn log<T>(result: Result<T, SettingsError>) {
    if let Err(error) = result {
        tracing::warn!("{error}");
    }
}

fn is_loopback(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_servers_are_recognised() {
        for url in ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:3000"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://192.168.1.2:3000", "https://example.org", "nonsense"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
