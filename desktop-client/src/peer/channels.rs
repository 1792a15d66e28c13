//! The data channels of a link: `chat` carries plain strings, `control` versioned JSON. Others that a peer opens are ignored.

use std::collections::BTreeMap;
use std::sync::Arc;

use call_core::link::{Channel, LinkEvent, LinkId};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use super::connection::MAX_MESSAGE_BYTES;

/// What a peer task tells the engine: the link, and what happened on it.
pub type LinkEvents = mpsc::Sender<(LinkId, LinkEvent)>;

/// The label on the wire.
pub fn label(channel: Channel) -> &'static str {
    match channel {
        Channel::Chat => "chat",
        Channel::Control => "control",
    }
}

fn from_label(label: &str) -> Option<Channel> {
    [Channel::Chat, Channel::Control].into_iter().find(|channel| self::label(*channel) == label)
}

/// The open channels of one link, and the tasks that read them.
pub struct Channels {
    link: LinkId,
    events: LinkEvents,
    open: BTreeMap<Channel, Arc<dyn DataChannel>>,
    readers: JoinSet<()>,
}

impl Channels {
    /// No channel yet.
    pub fn new(link: LinkId, events: LinkEvents) -> Self {
        Self { link, events, open: BTreeMap::new(), readers: JoinSet::new() }
    }

    /// Is there a channel of this kind, open or about to be?
    pub fn has(&self, channel: Channel) -> bool {
        self.open.contains_key(&channel)
    }

    /// No channel is open or about to be.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes a channel into use, whoever opened it. A second one of the same kind replaces the first for sending; both are read.
    pub async fn adopt(&mut self, data_channel: Arc<dyn DataChannel>) {
        let label = data_channel.label().await.unwrap_or_default();
        let Some(channel) = from_label(&label) else {
            tracing::debug!(peer = %self.link.peer, "ignoring a data channel of an unknown label");
            return;
        };
        self.open.insert(channel, Arc::clone(&data_channel));
        self.readers.spawn(read(self.link.clone(), channel, data_channel, self.events.clone()));
    }

    /// Sends a message without waiting: a peer that does not read loses it and the caller hears of it.
    pub async fn send(&self, channel: Channel, text: &str) -> Result<(), String> {
        let Some(data_channel) = self.open.get(&channel) else {
            return Err(format!("there is no open {} channel", label(channel)));
        };
        data_channel.try_send_text(text).await.map_err(|error| error.to_string())
    }
}

async fn read(link: LinkId, channel: Channel, data_channel: Arc<dyn DataChannel>, events: LinkEvents) {
    while let Some(event) = data_channel.poll().await {
        let event = match event {
            DataChannelEvent::OnOpen => LinkEvent::ChannelOpen(channel),
            DataChannelEvent::OnMessage(message) => match text(&message.data, message.is_string) {
                Some(text) => LinkEvent::Message { channel, text },
                None => LinkEvent::MessageDropped { channel, bytes: message.data.len() },
            },
            DataChannelEvent::OnClose => break,
            _ => continue,
        };
        if events.send((link.clone(), event)).await.is_err() {
            return;
        }
    }
    let _ = events.send((link, LinkEvent::ChannelClosed(channel))).await;
}

/// The text of a message, unless it is too long, binary or not UTF-8.
fn text(data: &[u8], is_string: bool) -> Option<String> {
    if !is_string || data.len() > MAX_MESSAGE_BYTES as usize {
        return None;
    }
    std::str::from_utf8(data).ok().map(str::to_owned)
}
