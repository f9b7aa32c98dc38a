//! The error of a value, passed up to a caller that knows the value's position.

use std::fmt::Write as _;

use crate::{Error, ErrorKind, FieldConflict};

/// The fault of a value. One word wide, so that `Result<usize, Fault>` stays in registers.
#[derive(Debug)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    /// The path of the value, from the inside out.
    path: Vec<Segment>,
    /// True if the only problem is that the data ends too early.
    short: bool,
    /// True if the value is not valid for its logical type.
    invalid: bool,
    /// The conflict of the schemas that a mismatch comes from.
    conflict: Option<FieldConflict>,
}

#[derive(Debug)]
enum Segment {
    Field(String),
    Item,
}

impl Fault {
    fn new(kind: ErrorKind, message: String) -> Self {
        Self(Box::new(Inner { kind, message, path: Vec::new(), short: false, invalid: false, conflict: None }))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message.into())
    }

    /// Creates the fault of a complete value that its logical type does not allow.
    #[cold]
    #[inline(never)]
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        let mut fault = Self::data(message);
        fault.0.invalid = true;
        fault
    }

    /// Creates the fault of a valid value that the reader's schema has no type for.
    #[cold]
    #[inline(never)]
    pub(crate) fn mismatch(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Mismatch, message.into())
    }

    /// Sets the conflict that the fault comes from.
    pub(crate) fn with_conflict(mut self, conflict: Option<FieldConflict>) -> Self {
        self.0.conflict = conflict;
        self
    }

    /// Creates the fault of a valid value that no column can hold.
    #[cold]
    #[inline(never)]
    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message.into())
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn limit(name: &str, message: &str) -> Self {
        let message = format!("{message} (limit `{name}`)");
        Self::new(ErrorKind::Limit, message)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn truncated() -> Self {
        Self::short("the data ends inside a value")
    }

    /// Creates the fault of a value that ends after the data.
    #[cold]
    #[inline(never)]
    pub(crate) fn short(message: impl Into<String>) -> Self {
        let mut fault = Self::data(message);
        fault.0.short = true;
        fault
    }

    /// Returns true if the value itself is at fault, and not the types or a limit.
    pub(crate) fn is_data(&self) -> bool {
        self.0.kind == ErrorKind::Data
    }

    /// Returns true if the only problem is that the data ends inside the value.
    pub(crate) fn is_short(&self) -> bool {
        self.0.short
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn length(length: i64, remaining: i64) -> Self {
        if remaining < 0 {
            // The length itself ends after the data.
            return Self::truncated();
        }
        if length < 0 {
            return Self::data(format!("negative length {length}"));
        }
        Self::short(format!("length {length} is more than the {remaining} bytes left"))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn index(what: &str, index: i64, len: usize) -> Self {
        Self::data(format!("{what} index {index} is out of range, the schema has {len}"))
    }

    /// Adds to the path that the value is inside a field of this name.
    #[cold]
    #[inline(never)]
    pub(crate) fn in_field(mut self, name: &str) -> Self {
        self.0.path.push(Segment::Field(name.to_owned()));
        self
    }

    /// Adds to the path that the value is an item of a list, or an entry of a map.
    #[cold]
    #[inline(never)]
    pub(crate) fn in_item(mut self) -> Self {
        self.0.path.push(Segment::Item);
        self
    }

    /// Returns true if a field of this name is on the path.
    pub(crate) fn is_in(&self, name: &str) -> bool {
        self.0.path.iter().any(|segment| matches!(segment, Segment::Field(field) if field == name))
    }

    /// Removes the path.
    pub(crate) fn without_path(mut self) -> Self {
        self.0.path.clear();
        self
    }

    /// Converts the fault into an error with the path as text; the caller adds file, block and record.
    #[cold]
    pub(crate) fn into_error(self) -> Error {
        let mut path = String::new();
        for segment in self.0.path.iter().rev() {
            match segment {
                Segment::Field(name) if path.is_empty() => path.push_str(name),
                Segment::Field(name) => write!(path, ".{name}").expect("writing to a String cannot fail"),
                Segment::Item => path.push_str("[]"),
            }
        }
        Error::new(self.0.kind, self.0.message)
            .with_invalid_value(self.0.invalid)
            .with_field_conflict(self.0.conflict)
            .at(|position| position.path = Some(path).filter(|path| !path.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_reads_from_the_outside_in() {
        let fault = Fault::truncated().in_field("price").in_item().in_field("items");
        assert_eq!(fault.into_error().position().path.as_deref(), Some("items[].price"));
    }
}
