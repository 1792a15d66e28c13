//! Which pictures the tiles show, and that odd ones do no harm.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use call_core::snapshot::DeviceState;
use call_ui::VideoFrames;
use media_core::frame::I420Frame;
use shared::PeerId;

use crate::fabricated;
use crate::stage::Stage;

/// One picture for everybody, and who was asked for.
struct Asked {
    frame: Arc<I420Frame>,
    who: Rc<RefCell<Vec<String>>>,
}

impl VideoFrames for Asked {
    fn local(&self) -> Option<Arc<I420Frame>> {
        self.who.borrow_mut().push("own".into());
        Some(Arc::clone(&self.frame))
    }

    fn peer(&self, id: &PeerId) -> Option<Arc<I420Frame>> {
        self.who.borrow_mut().push(id.as_str().into());
        Some(Arc::clone(&self.frame))
    }
}

fn grey(width: u32, height: u32) -> Arc<I420Frame> {
    let data = vec![128; I420Frame::byte_len(width, height)];
    Arc::new(I420Frame::from_vec(width, height, data, Instant::now()).unwrap())
}

#[test]
fn only_tiles_with_a_running_camera_take_pictures() {
    let mut stage = Stage::new(fabricated::busy_call());
    let who = Rc::new(RefCell::new(Vec::new()));
    stage.0.state_mut().video = Box::new(Asked { frame: grey(64, 36), who: Rc::clone(&who) });
    stage.0.step();
    assert_eq!(*who.borrow(), ["peer-0", "own"], "the others are off or not connected");
    who.borrow_mut().clear();
    stage.0.state_mut().snapshot.devices.camera.enabled = false;
    stage.0.step();
    assert_eq!(*who.borrow(), ["peer-0"]);
    who.borrow_mut().clear();
    stage.0.state_mut().snapshot.devices.camera.enabled = true;
    stage.0.state_mut().snapshot.devices.camera.state = DeviceState::Failed("Gone.".into());
    stage.0.step();
    assert_eq!(*who.borrow(), ["peer-0"]);
}

#[test]
fn pictures_of_any_size_are_shown() {
    for (width, height) in [(1, 1), (2, 1), (3, 5), (641, 361), (16_383, 2), (2, 16_383), (9_000, 40)] {
        let mut stage = Stage::new(fabricated::call(&["Ada", "Alan"]));
        stage.0.input_mut().max_texture_side = Some(2048);
        stage.0.state_mut().video = Box::new(Asked { frame: grey(width, height), who: Rc::default() });
        stage.settle();
        let textures = stage.0.ctx.tex_manager();
        let largest = textures.read().allocated().map(|(_, meta)| meta.size[0].max(meta.size[1])).max();
        assert!(largest.unwrap() <= 4096, "{width}x{height}");
    }
}

#[test]
fn a_texture_goes_with_its_tile_and_is_not_uploaded_again_for_the_same_frame() {
    let mut stage = Stage::new(fabricated::call(&["Ada", "Alan"]));
    stage.0.state_mut().video = Box::new(Asked { frame: grey(64, 36), who: Rc::default() });
    stage.settle();
    let video = |stage: &Stage| {
        let textures = stage.0.ctx.tex_manager();
        let textures = textures.read();
        textures.allocated().filter(|(_, meta)| meta.name == "video").count()
    };
    assert_eq!(video(&stage), 3);
    let uploads = stage.0.output().textures_delta.set.len();
    assert_eq!(uploads, 0, "the frame is the one of the pass before");
    stage.say(|s| s.room.as_mut().unwrap().participants.truncate(1));
    assert_eq!(video(&stage), 2);
    stage.say(|s| s.devices.camera.enabled = false);
    assert_eq!(video(&stage), 1);
}
