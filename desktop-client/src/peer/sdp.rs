//! Makes remote descriptions palatable: bounds them, and removes what trips the stack although it is harmless. Makes our own say that we may send stereo, and
//! that we would rather hear sound with copies of earlier packets.

/// Longest description that is looked at, in bytes: a browser's with three m-lines and many candidates is under 20 kB.
const MAX_BYTES: usize = 256 * 1024;

/// Most media sections that are looked at. A call of ours has four at most; guests who share several screens have a few more.
const MAX_SECTIONS: usize = 32;

/// Why a description is refused before the stack sees it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Longer than any honest description.
    #[error("the description has {0} bytes, more than {MAX_BYTES}")]
    TooLong(usize),
    /// More media sections than any honest description.
    #[error("the description has {0} media sections, more than {MAX_SECTIONS}")]
    TooManySections(usize),
    /// Not SDP (RFC 8866 §5: the first line is `v=0`).
    #[error("this is not a session description")]
    NotSdp,
}

/// Checks a remote description and removes ICE credentials from rejected sections (port 0).
///
/// A rejected section may carry credentials of its own (RFC 9429 §5.3.1 lets it), which the stack takes for a conflict with the bundle's.
pub fn accept(sdp: &str) -> Result<String, SdpError> {
    if sdp.len() > MAX_BYTES {
        return Err(SdpError::TooLong(sdp.len()));
    }
    if !sdp.trim_start().starts_with("v=0") {
        return Err(SdpError::NotSdp);
    }
    let sections = sdp.lines().filter(|line| line.starts_with("m=")).count();
    if sections > MAX_SECTIONS {
        return Err(SdpError::TooManySections(sections));
    }
    let mut rejected = false;
    let mut accepted = String::with_capacity(sdp.len());
    for line in sdp.lines() {
        if line.starts_with("m=") {
            rejected = line.split_ascii_whitespace().nth(1) == Some("0");
        }
        if rejected && (line.starts_with("a=ice-ufrag:") || line.starts_with("a=ice-pwd:")) {
            continue;
        }
        accepted.push_str(line);
        accepted.push_str("\r\n");
    }
    Ok(accepted)
}

/// Adds to a description of ours that our Opus may be stereo (RFC 7587 §6.1, `sprop-stereo`). That we would like the peer's to be (`stereo`) is not said: browsers then
/// encode a voice twice, for twice the bitrate.
pub fn offer_stereo(sdp: &str) -> String {
    let mut opus: Vec<String> = Vec::new();
    let mut offered = String::with_capacity(sdp.len() + 64);
    for line in sdp.lines() {
        let is_opus = |format: &str| format.to_ascii_lowercase().starts_with("opus/48000");
        if let Some((payload_type, format)) =
            line.strip_prefix("a=rtpmap:").and_then(|map| map.split_once(' '))
            && is_opus(format)
        {
            opus.push(format!("a=fmtp:{payload_type} "));
        }
        offered.push_str(line);
        if opus.iter().any(|prefix| line.starts_with(prefix)) {
            let is_said = line.split([' ', ';']).any(|given| given.starts_with("sprop-stereo="));
            if !is_said {
                offered.push_str(";sprop-stereo=1");
            }
        }
        offered.push_str("\r\n");
    }
    offered
}

/// Puts redundant sound (RFC 2198) first among the formats that a description of ours has for sound: browsers send the first one that they know, so they repeat each
/// packet in the next one only if asked in this way.
pub fn prefer_copies(sdp: &str) -> String {
    let is_red = |format: &str| format.to_ascii_lowercase().starts_with("red/48000");
    let map = |line: &'_ str| {
        line.strip_prefix("a=rtpmap:")?.split_once(' ').map(|(n, format)| (n.to_owned(), is_red(format)))
    };
    let red: Vec<String> = sdp.lines().filter_map(map).filter(|(_, red)| *red).map(|(n, _)| n).collect();
    let mut preferred = String::with_capacity(sdp.len());
    for line in sdp.lines() {
        if line.starts_with("m=audio ") {
            let mut fields: Vec<&str> = line.split_ascii_whitespace().collect();
            // Kind, port and protocol come before the formats (RFC 8866 §5.14).
            if let Some(formats) = fields.get_mut(3..) {
                formats.sort_by_key(|format| !red.iter().any(|red| red == format));
            }
            preferred.push_str(&fields.join(" "));
        } else {
            preferred.push_str(line);
        }
        preferred.push_str("\r\n");
    }
    preferred
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_with_copies_comes_first_and_all_else_stays() {
        let sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 9 63\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n\
                   m=video 9 UDP/TLS/RTP/SAVPF 96 116\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:116 red/90000\r\n";
        assert_eq!(prefer_copies(sdp), sdp.replace("111 9 63", "63 111 9"));
        let without = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n";
        assert_eq!(prefer_copies(without), without);
    }

    #[test]
    fn credentials_of_rejected_sections_are_removed() {
        let sdp = "v=0\r\nm=audio 9 X 111\r\na=ice-ufrag:good\r\nm=video 0 X 96\r\na=ice-ufrag:bad\r\na=ice-pwd:bad\r\na=mid:1\r\n";
        let accepted = accept(sdp).unwrap();
        assert!(accepted.contains("a=ice-ufrag:good\r\n") && accepted.contains("a=mid:1\r\n"));
        assert!(!accepted.contains("bad"));
    }

    #[test]
    fn stereo_is_offered_for_opus_only_and_only_once() {
        let sdp = "v=0\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
                   a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:96 VP8/90000\r\n";
        let offered = offer_stereo(sdp);
        assert!(offered.contains("a=fmtp:111 minptime=10;useinbandfec=1;sprop-stereo=1\r\n"));
        assert_eq!(offered.len(), sdp.len() + ";sprop-stereo=1".len());
        assert_eq!(offer_stereo(&offered), offered);
        let refused = "v=0\r\na=rtpmap:9 OPUS/48000/2\r\na=fmtp:9 stereo=0\r\n";
        assert!(offer_stereo(refused).contains("a=fmtp:9 stereo=0;sprop-stereo=1\r\n"));
    }

    #[test]
    fn monsters_are_refused() {
        assert_eq!(accept("hello"), Err(SdpError::NotSdp));
        assert_eq!(accept(&format!("v=0\n{}", "x".repeat(MAX_BYTES))), Err(SdpError::TooLong(MAX_BYTES + 4)));
        assert_eq!(
            accept(&format!("v=0\n{}", "m=audio 9 X 0\n".repeat(33))),
            Err(SdpError::TooManySections(33))
        );
    }
}
