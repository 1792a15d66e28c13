use call_core::control::ShownTile;

use crate::fabricated;
use crate::stage::Stage;

const HIDDEN: ShownTile = ShownTile { width: 0, height: 0, visible: false };

#[test]
fn everybody_is_told_how_large_they_are_shown_and_only_when_it_changes() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    stage.say(|snapshot| *snapshot = fabricated::call(&["Ada", "Alan", "Grace"]));
    let shown = stage.shown();
    let last = |name: &str| shown.iter().rfind(|(peer, _)| peer == name).map(|(_, tile)| *tile).unwrap();
    for peer in ["peer-0", "peer-1", "peer-2"] {
        let tile = last(peer);
        assert!(tile.visible && (400..700).contains(&tile.width) && tile.height > 200, "{peer}: {tile:?}");
    }
    stage.settle();
    assert_eq!(stage.shown(), []);
}

#[test]
fn a_panel_that_covers_the_tiles_hides_them() {
    let mut stage = Stage::with(fabricated::call(&["Ada"]), Default::default(), (420.0, 700.0));
    stage.shown();
    stage.click("Statistics");
    assert_eq!(stage.shown(), [("peer-0".to_owned(), HIDDEN)]);
    stage.click("Close statistics");
    assert!(matches!(stage.shown().as_slice(), [(_, ShownTile { visible: true, .. })]));
}

#[test]
fn who_speaks_is_told_unless_they_are_muted_or_not_there() {
    let mut stage = Stage::new(fabricated::call(&["Ada", "Alan"]));
    stage.hear(fabricated::speaking());
    assert!(stage.shows("Ada, speaking") && stage.shows("Alan") && stage.shows("You"));
    stage.say(|s| s.room.as_mut().unwrap().participants[0].microphone = Some(false));
    assert!(stage.shows("Ada, microphone off"));
    stage.hear(call_ui::Speaking { own: true, ..Default::default() });
    assert!(stage.shows("You, speaking"));
    stage.say(|s| s.devices.microphone.enabled = false);
    assert!(stage.shows("You, microphone off"));
}

#[test]
fn a_slow_network_is_said_on_the_tile() {
    let mut stage = Stage::new(fabricated::call(&["Ada"]));
    stage.say(|s| s.room.as_mut().unwrap().participants[0].sends_sound_only = true);
    assert!(stage.shows("Ada, Slow network: sound only"));
    stage.say(|s| {
        let ada = &mut s.room.as_mut().unwrap().participants[0];
        (ada.sends_sound_only, ada.gets_sound_only) = (false, true);
    });
    assert!(stage.shows("Ada, Slow network: hears you, cannot see you"));
}
