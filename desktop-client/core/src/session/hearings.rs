//! How the person wants to hear the others, for as long as the call lasts.

use shared::limits::ROOM_CAPACITY_MAX;
use shared::{DisplayName, PeerId};

use crate::volume::Hearing;

/// Wishes by participant. One that comes to a new id keeps its name: see [`Self::adopt`].
#[derive(Debug, Default)]
pub(super) struct Hearings(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    id: PeerId,
    name: String,
    hearing: Hearing,
}

impl Hearings {
    /// Keeps a wish. Of more than a room can hold, the oldest is forgotten.
    pub(super) fn set(&mut self, id: &PeerId, name: &str, hearing: Hearing) {
        self.0.retain(|kept| kept.id != *id);
        if self.0.len() == ROOM_CAPACITY_MAX as usize {
            self.0.remove(0);
        }
        self.0.push(Kept { id: id.clone(), name: name.to_owned(), hearing });
    }

    pub(super) fn get(&self, id: &PeerId) -> Hearing {
        self.0.iter().find(|kept| kept.id == *id).map_or_else(Hearing::default, |kept| kept.hearing)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// After a reconnect people have new ids: a wish for somebody who is not there any more passes to the only one of the same name for whom there is none.
    /// The name of all who gave none tells nobody apart. Gives those who are heard in another way now.
    pub(super) fn adopt(&mut self, present: &[(&PeerId, &str)]) -> Vec<PeerId> {
        let nameless = DisplayName::default();
        let mut adopted = Vec::new();
        for index in 0..self.0.len() {
            let kept = &self.0[index];
            if kept.name == nameless.as_str() || present.iter().any(|(id, _)| **id == kept.id) {
                continue;
            }
            let unknown = |id: &PeerId| !self.0.iter().any(|kept| kept.id == *id);
            let mut heirs = present.iter().filter(|(id, name)| *name == kept.name && unknown(id));
            if let (Some((heir, _)), None) = (heirs.next(), heirs.next()) {
                self.0[index].id = (*heir).clone();
                adopted.push((*heir).clone());
            }
        }
        adopted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Volume;

    fn id(text: &str) -> PeerId {
        PeerId::parse(text).unwrap()
    }

    #[test]
    fn a_wish_passes_to_the_only_one_of_the_name_and_to_nobody_else() {
        let loud = Hearing::at(Volume::MAX);
        let mut hearings = Hearings::default();
        let (old, new, other) = (id("old"), id("new"), id("other"));
        hearings.set(&old, "Ada", loud);
        assert!(hearings.adopt(&[(&old, "Ada"), (&new, "Ada")]).is_empty(), "Ada is still there");
        assert!(hearings.adopt(&[(&new, "Ada"), (&other, "Ada")]).is_empty(), "which one?");
        assert!(hearings.adopt(&[(&new, "Bob")]).is_empty());
        assert_eq!(hearings.adopt(&[(&new, "Ada"), (&other, "Bob")]), std::slice::from_ref(&new));
        assert_eq!((hearings.get(&new), hearings.get(&old)), (loud, Hearing::default()));
    }

    #[test]
    fn people_without_a_name_are_not_taken_for_each_other() {
        let nameless = DisplayName::default();
        let mut hearings = Hearings::default();
        hearings.set(&id("a"), nameless.as_str(), Hearing { silenced: true, ..Hearing::default() });
        assert!(hearings.adopt(&[(&id("b"), nameless.as_str())]).is_empty());
    }

    #[test]
    fn wishes_are_bounded() {
        let mut hearings = Hearings::default();
        for n in 0..2_000 {
            hearings.set(&id(&format!("p{n}")), "x", Hearing::at(Volume::MAX));
        }
        assert_eq!(hearings.0.len(), ROOM_CAPACITY_MAX as usize);
    }
}
