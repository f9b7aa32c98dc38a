//! A type with the dtype that its properties name. Types are compared by it if columns match.

use polars_arrow::datatypes::TimeUnit;

use super::{Enum, Kind, Logical, Node, Restored, Schema};

/// A type, and the dtype of Polars that it is read as if it cannot be derived from the type alone.
pub(super) struct Typed<'a> {
    pub(super) node: &'a Node,
    pub(super) restored: Option<Restored>,
}

/// An integer type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Integer {
    pub(super) is_signed: bool,
    pub(super) bits: u32,
}

impl Integer {
    /// Returns true if this type holds every number of `other`.
    pub(super) fn holds(self, other: Self) -> bool {
        match (self.is_signed, other.is_signed) {
            (true, false) => self.bits > other.bits,
            (false, true) => false,
            _ => self.bits >= other.bits,
        }
    }
}

impl<'a> Typed<'a> {
    pub(super) fn of(schema: &Schema, node: &'a Node) -> Self {
        Self { node, restored: Restored::of(schema, node) }
    }

    /// Returns the integer type; `None` for other types.
    pub(super) fn integer(&self) -> Option<Integer> {
        let (is_signed, bits) = match (&self.restored, &self.node.kind, self.node.logical) {
            (Some(Restored::Int8), ..) => (true, 8),
            (Some(Restored::Int16), ..) => (true, 16),
            (Some(Restored::UInt8), ..) => (false, 8),
            (Some(Restored::UInt16), ..) => (false, 16),
            (Some(Restored::UInt32), ..) => (false, 32),
            (Some(Restored::UInt64), ..) => (false, 64),
            (Some(Restored::Int128), ..) => (true, 128),
            (Some(Restored::UInt128), ..) => (false, 128),
            (None, Kind::Int, None) => (true, 32),
            (None, Kind::Long, None) => (true, 64),
            _ => return None,
        };
        Some(Integer { is_signed, bits })
    }

    /// Returns the units per second of a time of day.
    pub(super) fn time_of_day(&self) -> Option<i64> {
        match (self.node.logical, &self.restored) {
            (Some(Logical::TimeMillis), _) => Some(1_000),
            (Some(Logical::TimeMicros), _) => Some(1_000_000),
            (_, Some(Restored::Time)) => Some(1_000_000_000),
            _ => None,
        }
    }

    /// Returns the units per second of a duration.
    pub(super) fn duration(&self) -> Option<i64> {
        match &self.restored {
            Some(Restored::Duration(TimeUnit::Millisecond)) => Some(1_000),
            Some(Restored::Duration(TimeUnit::Microsecond)) => Some(1_000_000),
            Some(Restored::Duration(_)) => Some(1_000_000_000),
            _ => None,
        }
    }

    /// Returns the texts that the symbols of an enum represent: its categories, or the symbols themselves.
    pub(super) fn texts<'b>(&'b self, symbols: &'b Enum) -> &'b [String] {
        match &self.restored {
            Some(Restored::Enum(categories)) => categories,
            _ => &symbols.symbols,
        }
    }
}
