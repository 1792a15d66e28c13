//! The seam between the session and a peer task: orders down, facts up, each tagged with the link that it belongs to.
//!
//! A peer task owns one peer connection. It carries out orders strictly in the order in which they come, and reports each result as a fact.

use std::time::Duration;

use shared::PeerId;
use shared::events::IceServer;
use shared::signal_data::Candidate;

use crate::control::ShownTile;
use crate::volume::Volume;

/// One attempt at a connection with one peer. Facts of an older epoch are about a dead link and are ignored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId {
    /// The other side.
    pub peer: PeerId,
    /// Counts our attempts with that peer; never reused in a session.
    pub epoch: u32,
}

/// How to set a link up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkConfig {
    /// ICE servers that the signaling server gave for this room.
    pub ice_servers: Vec<IceServer>,
    /// True for the side with the smaller id: it makes the first offer and opens the data channels.
    pub initiator: bool,
    /// The peer's `caps` name `control`: the initiator opens the `control` channel too.
    pub control: bool,
}

/// The data channels of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Plain strings, one per line.
    Chat,
    /// Versioned JSON between clients that know it.
    Control,
}

/// What a peer task shall do.
///
/// An order that fails leaves the peer connection as it was before: a remote offer that cannot be answered, for example, is rolled back.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkOrder {
    /// Make the peer connection; for the initiator with its media lines and data channels, ready for [`LinkOrder::CreateOffer`].
    Open(LinkConfig),
    /// Create an offer and set it as local description → [`LinkEvent::OfferCreated`].
    CreateOffer {
        /// Restart ICE with new credentials.
        ice_restart: bool,
    },
    /// Set this remote offer, create the answer and set it → [`LinkEvent::AnswerCreated`].
    AcceptOffer {
        /// The remote offer.
        sdp: String,
    },
    /// Set this remote answer → [`LinkEvent::AnswerAccepted`].
    AcceptAnswer {
        /// The remote answer.
        sdp: String,
    },
    /// Take our pending offer back → [`LinkEvent::RolledBack`].
    Rollback,
    /// Add a remote candidate. The session sends it only once a remote description is set.
    AddCandidate(Candidate),
    /// Open the `chat` channel unless there is one (the guest with the smaller id opened none).
    EnsureChat,
    /// Send a message on a data channel.
    Send {
        /// Which channel.
        channel: Channel,
        /// The message.
        text: String,
    },
    /// Send no more video than a tile like this shows. Until the first such order the peer gets the whole picture.
    FitTile(ShownTile),
    /// Play the peer this loud. Until the first such order it is heard as it sounds.
    SetVolume(Volume),
    /// Close everything. The last order of a link.
    Close,
}

/// What happened on a link.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkEvent {
    /// Our offer is set locally and can be sent.
    OfferCreated {
        /// The offer.
        sdp: String,
    },
    /// The remote offer is set, and so is our answer, which can be sent.
    AnswerCreated {
        /// The answer.
        sdp: String,
    },
    /// The remote answer is set.
    AnswerAccepted,
    /// Our pending offer is gone.
    RolledBack,
    /// An order could not be carried out.
    Failed {
        /// Which one.
        operation: Operation,
        /// Why, for the log.
        message: String,
    },
    /// A local candidate to send; `None` is the end of candidates.
    LocalCandidate(Option<Candidate>),
    /// The connection's state changed.
    Connection(ConnectionState),
    /// The connection wants to be negotiated (again), for something that the last offer and answer do not cover. Costs an offer each time, so
    /// it is not to be reported for what a first offer brings about anyway.
    NegotiationNeeded,
    /// A data channel is open in both directions.
    ChannelOpen(Channel),
    /// A data channel is closed.
    ChannelClosed(Channel),
    /// A message came in.
    Message {
        /// On which channel.
        channel: Channel,
        /// The text.
        text: String,
    },
    /// A message larger than the limit, or binary where text belongs, was dropped.
    MessageDropped {
        /// On which channel.
        channel: Channel,
        /// Its size.
        bytes: usize,
    },
    /// Video of this peer is being decoded (true), or nothing has arrived for two seconds (false).
    VideoFlowing(bool),
    /// The path bears sound only, so our video to this peer is suspended (true), or it is being sent again.
    VideoSuspended(bool),
    /// Round-trip time and loss, once a second, for the connection indicator.
    Quality {
        /// Round-trip time of the selected candidate pair.
        rtt: Option<Duration>,
        /// Fraction of our packets that the peer lost, 0–1.
        fraction_lost: Option<f32>,
    },
}

/// The orders that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// [`LinkOrder::Open`].
    Open,
    /// [`LinkOrder::CreateOffer`].
    CreateOffer,
    /// [`LinkOrder::AcceptOffer`].
    AcceptOffer,
    /// [`LinkOrder::AcceptAnswer`].
    AcceptAnswer,
    /// [`LinkOrder::Rollback`].
    Rollback,
    /// [`LinkOrder::AddCandidate`].
    AddCandidate,
    /// [`LinkOrder::Send`].
    Send,
}

/// `RTCPeerConnectionState` (W3C webrtc).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionState {
    /// Nothing has been tried.
    New,
    /// ICE or DTLS is at work.
    Connecting,
    /// Media can flow.
    Connected,
    /// Connectivity is lost for the moment.
    Disconnected,
    /// Given up; an ICE restart may help.
    Failed,
    /// Closed.
    Closed,
}
