//! Where a reading is stricter or laxer than the specification.

/// Message for a column without a default that the writer did not write.
pub(crate) const MISSING_COLUMN: &str = "the writer did not write this field and the reader has no default for it";
/// The same of a field of a nested record.
pub(crate) const MISSING_FIELD: &str =
    "the writer did not write this field of a nested record and the reader has no default for it";
/// Message for a column that the reader's schema lacks.
pub(crate) const EXTRA_COLUMN: &str = "the writer wrote this field and the reader does not have it";
/// The same of a field of a nested record.
pub(crate) const EXTRA_FIELD: &str = "the writer wrote this field of a nested record and the reader does not have it";

/// How far schemas may differ beside what schema resolution says. The default is the specification itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Evolution {
    /// Columns that a file lacks and that have no default.
    pub missing_columns: Missing,
    /// The same of nested records.
    pub missing_fields: Missing,
    /// Columns that the reader's schema lacks.
    pub extra_columns: Extra,
    /// The same of nested records.
    pub extra_fields: Extra,
    /// A null that the writer's union has is null also where the reader's type has none.
    pub keep_nulls: bool,
    /// Records, enums and fixeds need not have the same names.
    pub ignore_names: bool,
}

/// What becomes of a field that the reader wants and the writer did not write, and that has no default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Missing {
    /// It is an error.
    #[default]
    Refuse,
    /// It is null, whatever its type.
    Insert,
}

/// What becomes of a field that the writer wrote and the reader does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Extra {
    /// It is passed over.
    #[default]
    Ignore,
    /// It is an error.
    Refuse,
}
