//! Certificates that no authority vouches for: the person decides once.

use super::seam::UntrustedCertificate;
use crate::snapshot::TrustPrompt;
use crate::text::single_line;

#[derive(Debug, Default)]
pub(super) struct Trust {
    pending: Option<UntrustedCertificate>,
    /// What the person said no to; not asked again until they try again themselves.
    rejected: Option<UntrustedCertificate>,
}

impl Trust {
    /// A certificate wants a decision. True if that is news. While one waits for a decision, others must wait: they come again.
    pub(super) fn ask(&mut self, certificate: UntrustedCertificate) -> bool {
        let same_host = self.pending.as_ref().is_none_or(|pending| pending.host == certificate.host);
        if !same_host
            || self.pending.as_ref() == Some(&certificate)
            || self.rejected.as_ref() == Some(&certificate)
        {
            return false;
        }
        self.pending = Some(certificate);
        true
    }

    /// The person trusts it: gives the certificate to pin.
    pub(super) fn accept(&mut self) -> Option<UntrustedCertificate> {
        self.pending.take()
    }

    /// The person does not trust it: gives the host's name.
    pub(super) fn reject(&mut self) -> Option<String> {
        let certificate = self.pending.take()?;
        let host = single_line(&certificate.host, 100);
        self.rejected = Some(certificate);
        Some(host)
    }

    /// The person tries again: asking is fine.
    pub(super) fn forget_rejected(&mut self) {
        self.rejected = None;
    }

    pub(super) fn prompt(&self) -> Option<TrustPrompt> {
        self.pending.as_ref().map(|certificate| TrustPrompt {
            host: single_line(&certificate.host, 260),
            fingerprint: single_line(&certificate.fingerprint, 128),
            changed: certificate.changed,
        })
    }
}
