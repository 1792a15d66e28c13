//! Redundant audio from a hostile sender: no panic, nothing that was not in the packet, and what is taken apart can be put together again.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media_core::audio::red;

fuzz_target!(|bytes: &[u8]| {
    let payload = Bytes::copy_from_slice(bytes);
    let Some((copies, new)) = red::unpack(&payload) else { return };
    assert!(copies.iter().map(|copy| copy.payload.len()).sum::<usize>() + new.len() < bytes.len());
    let packed = red::pack(111, copies.iter(), &new);
    let (again, newest) = red::unpack(&packed).expect("what we pack can be unpacked");
    let kept: Vec<_> = copies.into_iter().filter(|copy| copy.age > 0 && !copy.payload.is_empty()).collect();
    assert_eq!((again, newest), (kept, new));
});
