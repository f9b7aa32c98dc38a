//! Where a reading is stricter or laxer than the specification.

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
