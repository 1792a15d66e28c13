//! Messages to the person that are not bound to one place of the screen.

use crate::snapshot::{Notice, NoticeLevel};

/// Most notices at a time; the oldest gives way.
const NOTICES_MAX: usize = 6;

#[derive(Debug, Default)]
pub(super) struct Notices {
    list: Vec<Notice>,
    last_id: u64,
    /// The notice about the server, of which there is one at most.
    server: Option<u64>,
}

impl Notices {
    /// Shows a notice, unless the same one is already shown.
    pub(super) fn add(&mut self, level: NoticeLevel, text: String) -> u64 {
        if let Some(shown) = self.list.iter().find(|notice| notice.text == text) {
            return shown.id;
        }
        self.last_id += 1;
        if self.list.len() == NOTICES_MAX {
            self.list.remove(0);
        }
        self.list.push(Notice { id: self.last_id, level, text });
        self.last_id
    }

    /// Shows a notice about the server in place of the one before.
    pub(super) fn set_server(&mut self, text: String) {
        if self.server_notice().is_some_and(|notice| notice.text == text) {
            return;
        }
        self.clear_server();
        self.server = Some(self.add(NoticeLevel::Warning, text));
    }

    pub(super) fn clear_server(&mut self) {
        if let Some(id) = self.server.take() {
            self.dismiss(id);
        }
    }

    pub(super) fn dismiss(&mut self, id: u64) {
        self.list.retain(|notice| notice.id != id);
    }

    pub(super) fn list(&self) -> &[Notice] {
        &self.list
    }

    fn server_notice(&self) -> Option<&Notice> {
        self.list.iter().find(|notice| Some(notice.id) == self.server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_bounded_and_not_repeated() {
        let mut notices = Notices::default();
        for n in 0..100 {
            notices.add(NoticeLevel::Info, format!("{}", n / 2));
        }
        assert_eq!(notices.list().len(), NOTICES_MAX);
        notices.set_server("a".into());
        notices.set_server("b".into());
        assert_eq!(notices.list().iter().filter(|n| n.level == NoticeLevel::Warning).count(), 1);
        notices.clear_server();
        assert!(notices.list().iter().all(|n| n.level == NoticeLevel::Info));
    }
}
