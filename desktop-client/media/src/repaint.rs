//! The application's wish to be told of new pictures.

use std::sync::{Arc, PoisonError, RwLock};

/// Called from media threads when a slot got a new picture. Clones share the callback.
#[derive(Clone, Default)]
pub(crate) struct Repaint(Arc<RwLock<Option<Callback>>>);

type Callback = Arc<dyn Fn() + Send + Sync>;

impl Repaint {
    pub fn set(&self, callback: Callback) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(callback);
    }

    pub fn call(&self) {
        let callback = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(callback) = callback {
            callback();
        }
    }
}
