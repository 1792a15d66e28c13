//! Typed text that the session remembers too.

/// A text that the session knows too: what was typed wins until it is told, and what the session says wins when it changes.
#[derive(Default)]
pub struct Synced {
    /// What stands in the field.
    pub typed: String,
    /// What the session said last.
    said: Option<String>,
    /// What it was told last; its answer takes a moment.
    told: Option<String>,
}

impl Synced {
    /// A field with this typed into it.
    pub fn new(typed: String) -> Self {
        Self { typed, said: None, told: None }
    }

    /// Takes note of what the session says now.
    pub fn follow(&mut self, said: &str) {
        if self.said.as_deref() == Some(said) {
            return;
        }
        let answer = self.told.as_deref() == Some(said);
        let first = self.said.is_none();
        if !answer && !said.is_empty() && (!first || self.typed.is_empty()) {
            said.clone_into(&mut self.typed);
        }
        if !answer {
            self.told = None;
        }
        self.said = Some(said.to_owned());
    }

    /// The typed text, if the session does not have it yet.
    pub fn news(&mut self) -> Option<String> {
        let typed = self.typed.trim();
        let known = self.told.as_deref().or(self.said.as_deref()).unwrap_or_default();
        if known.trim() == typed {
            return None;
        }
        self.told = Some(typed.to_owned());
        Some(typed.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Synced;

    #[test]
    fn what_was_typed_stays_until_the_session_says_something_new() {
        let mut text = Synced::new("typed".into());
        text.follow("remembered");
        assert_eq!(text.typed, "typed");
        assert_eq!(text.news().as_deref(), Some("typed"));
        assert_eq!(text.news(), None);
        text.follow("remembered");
        assert_eq!(text.typed, "typed", "the answer takes a moment");
        assert_eq!(text.news(), None);
        text.follow("typed");
        text.follow("from elsewhere");
        assert_eq!(text.typed, "from elsewhere");
        assert_eq!(text.news(), None);
    }

    #[test]
    fn an_empty_field_takes_what_is_remembered() {
        let mut text = Synced::new(String::new());
        text.follow("remembered");
        assert_eq!(text.typed, "remembered");
        assert_eq!(text.news(), None);
    }
}
