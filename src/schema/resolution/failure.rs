//! Reasons for which a pair of types cannot be read.

use super::ResolvedId;
use crate::binary::Fault;
use crate::casts::Cast;
use crate::schema::{Kind, NodeId, Restored, Schema};
use crate::{Error, FieldConflict};

/// The maximum number of path steps, and of union branches, that a message shows.
pub(super) const SHOWN: usize = 16;

/// The reason for which a pair cannot be read.
pub(super) enum Failure {
    /// The pair itself is at fault; `field` is the name of one of the record's fields, or empty.
    Here { field: String, message: FailureMessage },
    /// A pair that it needs cannot be read; `step` is the path to it.
    Below { step: String, child: ResolvedId },
}

/// The result of a pair.
pub(super) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub(super) fn here(message: String) -> Self {
        Self::Here { field: String::new(), message: message.into() }
    }
}

/// The text of a failure, and its kind if an option may allow it.
#[derive(Clone, Debug)]
pub(crate) struct FailureMessage {
    pub(super) text: String,
    conflict: Option<FieldConflict>,
}

impl FailureMessage {
    pub(super) fn new(text: String, conflict: Option<FieldConflict>) -> Self {
        Self { text, conflict }
    }

    #[cold]
    pub(super) fn error(self) -> Error {
        Error::schema(self.text).with_field_conflict(self.conflict)
    }

    /// Returns the fault of a value that cannot be read for this reason.
    #[cold]
    pub(crate) fn fault(&self) -> Fault {
        Fault::mismatch(self.text.as_str()).with_conflict(self.conflict)
    }
}

impl From<String> for FailureMessage {
    fn from(text: String) -> Self {
        Self { text, conflict: None }
    }
}

impl From<FieldConflict> for FailureMessage {
    fn from(conflict: FieldConflict) -> Self {
        let text = match conflict {
            FieldConflict::MissingColumn => "the writer did not write this field and the reader has no default for it",
            FieldConflict::MissingField => {
                "the writer did not write this field of a nested record and the reader has no default for it"
            }
            FieldConflict::ExtraColumn => "the writer wrote this field and the reader does not have it",
            FieldConflict::ExtraField => {
                "the writer wrote this field of a nested record and the reader does not have it"
            }
            FieldConflict::OtherCase => "the names of the writer's and the reader's field differ in case",
            FieldConflict::Cast(_) => "the writer's values need a cast",
        };
        Self { text: text.to_owned(), conflict: Some(conflict) }
    }
}

/// The reason for which a type is not read as another; empty if the two types explain it.
#[derive(Default)]
pub(super) struct Reason {
    pub(super) why: String,
    pub(super) conflict: Option<FieldConflict>,
}

impl Reason {
    /// Returns the reason that a cast is not allowed.
    pub(super) fn cast(cast: Cast) -> Self {
        let why = match cast {
            Cast::IntegerToFloat => ", which may lose digits",
            Cast::FloatDowncast => ", which loses digits",
            Cast::NanosecondDowncast | Cast::MicrosecondDowncast => ", which drops digits",
            _ => "",
        };
        Self { why: why.to_owned(), conflict: Some(FieldConflict::Cast(cast)) }
    }
}

impl From<String> for Reason {
    fn from(why: String) -> Self {
        Self { why, conflict: None }
    }
}

impl From<&str> for Reason {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

/// Returns a short description of a type.
pub(in crate::schema) fn describe(schema: &Schema, id: NodeId) -> String {
    let node = schema.node(id);
    let word = node.kind.type_name();
    let mut text = match &node.kind {
        Kind::Fixed(fixed) => format!("{word} {} of {} bytes", fixed.name, fixed.size),
        Kind::Union(branches) => {
            let shown = branches.iter().take(SHOWN).map(|&branch| {
                let kind = &schema.node(branch).kind;
                kind.name().map_or_else(|| kind.type_name().to_owned(), ToString::to_string)
            });
            let more = if branches.len() > SHOWN { ", .." } else { "" };
            format!("{word} [{}{more}]", shown.collect::<Vec<_>>().join(", "))
        }
        kind => kind.name().map_or_else(|| word.to_owned(), |name| format!("{word} {name}")),
    };
    if let Some(logical) = node.logical {
        text = format!("{text} ({logical})");
    }
    if let Some(restored) = Restored::of(schema, node) {
        text = format!("{text}, in Polars {restored}");
    }
    text
}
