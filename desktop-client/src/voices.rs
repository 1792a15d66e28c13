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

/// Listens until the window is gone; `repaint` is called when somebody begins or ends, and when the floor passes on.
pub async fn listen(
    speaking: watch::Sender<Speaking>,
    links: watch::Receiver<Arc<Links>>,
    media: Weak<Media>,
    repaint: Arc<dyn Fn() + Send + Sync>,
) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // Apart: who of the others has the floor does not depend on us, as nobody watches themselves.
    let mut ourselves: Speakers<()> = Speakers::default();
    let mut others: Speakers<PeerId> = Speakers::default();
    while !speaking.is_closed() {
        ticks.tick().await;
        let Some(media) = media.upgrade() else { return };
        let links = Arc::clone(&links.borrow());
        ourselves.update([((), media.stats().audio.voice_level_dbfs)], Instant::now());
        let levels = links.iter().map(|(peer, link)| (peer.clone(), link.player.voice_level()));
        others.update(levels, Instant::now());
        let now = Speaking {
            own: ourselves.is_speaking(&()),
            peers: others.speaking().cloned().collect(),
            floor: others.floor().cloned(),
        };
        if speaking.send_if_modified(|before| std::mem::replace(before, now.clone()) != now) {
            repaint();
        }
    }
}
