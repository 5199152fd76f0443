//! Between the domain's types and their messages: one trait, both directions side by side, nothing lost on the way.

mod audit;
mod caller;
mod entity;
mod request;
mod watch;

use names::NameError;
use proto::store::v1;
use store::{Receipt, Watcher, Written};

pub(crate) use caller::key_id;
pub(crate) use watch::Step;

/// A domain type that crosses the wire as `Message`.
pub(crate) trait Wire: Sized {
    /// Its message.
    type Message;
    /// Writes it.
    fn to_wire(self) -> Self::Message;
    /// Reads it; a message from outside may hold anything.
    fn from_wire(message: Self::Message) -> Result<Self, Malformed>;
}

/// A message that does not mean anything: which field, and why. Never holds the field's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// A field that must be there is not.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A field that holds a name does not hold one.
    #[error("`{0}` {1}")]
    Name(&'static str, NameError),
    /// A field that holds one of a few words holds none of them, or one of a later version.
    #[error("`{0}` holds a value that this version does not know")]
    Unknown(&'static str),
    /// A field breaks a rule of its own.
    #[error("`{0}` {1}")]
    Field(&'static str, &'static str),
}

/// The part of a message that must be there.
pub(crate) fn required<T: Wire>(field: &'static str, part: Option<T::Message>) -> Result<T, Malformed> {
    T::from_wire(part.ok_or(Malformed::Missing(field))?)
}

/// The part of a message that may be there.
pub(crate) fn optional<T: Wire>(part: Option<T::Message>) -> Result<Option<T>, Malformed> {
    part.map(T::from_wire).transpose()
}

/// All items of a repeated field.
pub(crate) fn all<T: Wire>(items: Vec<T::Message>) -> Result<Vec<T>, Malformed> {
    items.into_iter().map(T::from_wire).collect()
}

/// Writes all items of a repeated field.
pub(crate) fn to_wire_all<T: Wire>(items: Vec<T>) -> Vec<T::Message> {
    items.into_iter().map(T::to_wire).collect()
}

/// A name, by its own `parse`.
pub(crate) fn name<T>(
    field: &'static str,
    text: &str,
    parse: fn(&str) -> Result<T, NameError>,
) -> Result<T, Malformed> {
    parse(text).map_err(|error| Malformed::Name(field, error))
}

/// A name that may be absent.
pub(crate) fn optional_name<T>(
    field: &'static str,
    text: Option<String>,
    parse: fn(&str) -> Result<T, NameError>,
) -> Result<Option<T>, Malformed> {
    text.map(|text| name(field, &text, parse)).transpose()
}

/// A change's answer: the value after it, and how far it has come.
pub(crate) fn written<T: Wire>(
    field: &'static str,
    value: Option<T::Message>,
    receipt: Option<v1::Receipt>,
) -> Result<Written<T>, Malformed> {
    Ok(Written { value: required(field, value)?, receipt: required("receipt", receipt)? })
}

impl Wire for Receipt {
    type Message = v1::Receipt;

    fn to_wire(self) -> v1::Receipt {
        v1::Receipt { revision: self.revision, not_applied: to_wire_all(self.not_applied) }
    }

    fn from_wire(message: v1::Receipt) -> Result<Self, Malformed> {
        Ok(Self { revision: message.revision, not_applied: all::<Watcher>(message.not_applied)? })
    }
}
