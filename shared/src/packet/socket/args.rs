//! The arguments of an event or an acknowledgement: JSON as it arrived, and binary attachments.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Arguments as they travelled. The JSON of each is valid and bounded in depth, and is otherwise untouched.
#[derive(Debug, Clone, Default)]
pub struct Args {
    items: Vec<Box<RawValue>>,
    attachments: Vec<Bytes>,
}

impl Args {
    /// Arguments from JSON values and the attachments that their placeholders name.
    pub fn new(items: Vec<Box<RawValue>>, attachments: Vec<Bytes>) -> Self {
        Self { items, attachments }
    }

    /// How many arguments there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The argument at `index`.
    pub fn get(&self, index: usize) -> Option<&RawValue> {
        self.items.get(index).map(AsRef::as_ref)
    }

    /// All arguments in order.
    pub fn iter(&self) -> impl Iterator<Item = &RawValue> {
        self.items.iter().map(AsRef::as_ref)
    }

    /// All arguments in order, as the encoder takes them.
    pub fn as_slices(&self) -> Vec<&RawValue> {
        self.iter().collect()
    }

    /// Reads the argument at `index` as a `T`, which may borrow from it. A missing argument reads as `null`.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.get(index).map_or("null", RawValue::get))
    }

    /// The binary attachments, in the order of their numbers.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    pub(super) fn set_attachments(&mut self, attachments: Vec<Bytes>) {
        self.attachments = attachments;
    }

    /// The attachment that an argument stands for, when the argument as a whole is a placeholder.
    pub fn attachment(&self, argument: &RawValue) -> Option<&Bytes> {
        let placeholder: Placeholder = serde_json::from_str(argument.get()).ok()?;
        if placeholder.is_placeholder { self.attachments.get(placeholder.num) } else { None }
    }
}

impl PartialEq for Args {
    fn eq(&self, other: &Self) -> bool {
        self.attachments == other.attachments
            && self.items.len() == other.items.len()
            && self.iter().zip(other.iter()).all(|(a, b)| a.get() == b.get())
    }
}

impl From<Vec<Box<RawValue>>> for Args {
    fn from(items: Vec<Box<RawValue>>) -> Self {
        Self::new(items, Vec::new())
    }
}

/// What stands in JSON for an attachment.
#[derive(Deserialize)]
struct Placeholder {
    #[serde(rename = "_placeholder")]
    is_placeholder: bool,
    num: usize,
}
