//! Listens for who speaks, for the window ([`media_core::audio::speakers`] decides).

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use call_media::Media;
use call_ui::Speaking;
use media_core::audio::speakers::Speakers;
use shared::PeerId;
use tokio::sync::watch;

use crate::engine::Links;

/// How often levels are read: as often as they are new.
const INTERVAL: Duration = Duration::from_millis(100);

/// Listens until the window is gone; `repaint` is called when somebody begins or ends.
pub async fn listen(
    speaking: watch::Sender<Speaking>,
    links: watch::Receiver<Arc<Links>>,
    media: Weak<Media>,
    repaint: Arc<dyn Fn() + Send + Sync>,
) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // We ourselves have no id here.
    let mut speakers: Speakers<Option<PeerId>> = Speakers::default();
    while !speaking.is_closed() {
        ticks.tick().await;
        let Some(media) = media.upgrade() else { return };
        let links = Arc::clone(&links.borrow());
        let own = [(None, media.stats().audio.voice_level_dbfs)];
        let others = links.iter().map(|(peer, link)| (Some(peer.clone()), link.player.voice_level()));
        speakers.update(own.into_iter().chain(others), Instant::now());
        let now = Speaking {
            own: speakers.is_speaking(&None),
            peers: speakers.speaking().filter_map(Clone::clone).collect(),
        };
        if speaking.send_if_modified(|before| std::mem::replace(before, now.clone()) != now) {
            repaint();
        }
    }
}
