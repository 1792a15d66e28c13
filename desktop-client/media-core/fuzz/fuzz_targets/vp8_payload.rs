//! Payload descriptors and frame headers: nothing panics, and what is read is written back to the same meaning.
#![no_main]

use libfuzzer_sys::fuzz_target;
use media_core::vp8::header::FrameHeader;
use media_core::vp8::payload::PayloadDescriptor;

fuzz_target!(|bytes: &[u8]| {
    let Ok((descriptor, data)) = PayloadDescriptor::parse(bytes) else { return };
    let mut written = Vec::new();
    descriptor.write(&mut written);
    assert_eq!(written.len(), descriptor.encoded_len());
    written.extend_from_slice(data);
    assert_eq!(PayloadDescriptor::parse(&written), Ok((descriptor, data)));
    if let Ok(header) = FrameHeader::of_frame(data) {
        assert_eq!(header.key, header.dimensions.is_some());
    }
});
