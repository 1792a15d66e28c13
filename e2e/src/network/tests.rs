//! What two hosts notice of the network between them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Instant;

use media_core::sim::LinkConfig;

use super::*;

/// Two hosts, or `None` with a word about it where there can be none.
fn two_hosts() -> Option<(Network, Host, Host)> {
    if let Some(reason) = Network::unavailable() {
        eprintln!("skipped: {reason}");
        return None;
    }
    let network = Network::new(2, 7).unwrap();
    let [one, other] = network.hosts() else { unreachable!() };
    let (one, other) = (one.clone(), other.clone());
    Some((network, one, other))
}

fn socket(host: &Host) -> UdpSocket {
    let address = host.address();
    let socket = host.namespace.run(move || UdpSocket::bind((address, 4_000))).unwrap().unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

#[test]
fn datagrams_come_as_late_as_the_profile_says() {
    let Some((network, one, other)) = two_hosts() else { return };
    let config = LinkConfig { delay: Duration::from_millis(40), ..LinkConfig::default() };
    network.impose(&one, &Profile::both(config)).unwrap();
    let (sender, receiver) = (socket(&one), socket(&other));
    let mut delays: Vec<Duration> = (0..20)
        .map(|_| {
            let start = Instant::now();
            sender.send_to(&[7; 1_000], receiver.local_addr().unwrap()).unwrap();
            receiver.recv(&mut [0; 2_000]).unwrap();
            start.elapsed()
        })
        .collect();
    delays.sort();
    // Never early; late only as far as this machine is busy.
    assert!(delays[0] >= Duration::from_millis(40), "{delays:?}");
    assert!(delays[5] < Duration::from_millis(60), "{delays:?}");
    let traffic = network.traffic(&one).unwrap();
    // Headers of IP and UDP: 28 bytes.
    assert_eq!((traffic.up.delivered, traffic.up_bytes), (20, 20 * 1_028));
}

#[test]
fn the_share_that_the_profile_says_is_lost() {
    let Some((network, one, other)) = two_hosts() else { return };
    network.impose(&one, &Profile::named("loss-20").unwrap()).unwrap();
    let (sender, receiver) = (socket(&one), socket(&other));
    // As many as the default receive buffer holds (208 KiB; a small datagram counts 768 bytes): nobody may read while they come.
    for _ in 0..250 {
        sender.send_to(&[7; 100], receiver.local_addr().unwrap()).unwrap();
    }
    receiver.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let received = std::iter::from_fn(|| receiver.recv(&mut [0; 200]).ok()).count();
    assert!((170..230).contains(&received), "{received}");
    assert_eq!(network.traffic(&one).unwrap().up.lost, 250 - received as u64);
}

#[test]
fn streams_pass_whole() {
    let Some((network, one, other)) = two_hosts() else { return };
    network.impose(&one, &Profile::named("wifi").unwrap()).unwrap();
    let address = other.address();
    let listener = other.namespace.run(move || TcpListener::bind((address, 0))).unwrap().unwrap();
    let to = listener.local_addr().unwrap();
    let reader = thread::spawn(move || {
        let mut received = vec![];
        listener.accept().unwrap().0.read_to_end(&mut received).unwrap();
        received
    });
    let sent: Vec<u8> = (0..200_000_u32).map(|index| (index % 251) as u8).collect();
    let mut stream: TcpStream = one.connect(to).unwrap();
    stream.write_all(&sent).unwrap();
    drop(stream);
    assert!(reader.join().unwrap() == sent);
}
