//! Limits on the resources of a file, and reports of dropped blocks. The classes are defined in `polars_avro`.

use pyo3::prelude::*;

use polars_avro::{BadBlock, ErrorKind};

/// Generates the class and both conversions from the names of the limits.
macro_rules! limits {
    ($($name:ident),*) => {
        /// The limits, extracted from the attributes of a `polars_avro.Limits`.
        #[derive(FromPyObject, IntoPyObject)]
        pub(super) struct Limits { $($name: usize),* }

        impl From<Limits> for polars_avro::Limits {
            fn from(limits: Limits) -> Self {
                let mut found = Self::default();
                $(found.$name = limits.$name;)*
                found
            }
        }

        impl From<polars_avro::Limits> for Limits {
            fn from(limits: polars_avro::Limits) -> Self {
                Self { $($name: limits.$name),* }
            }
        }
    };
}

limits!(header_bytes, block_bytes, schema_depth, schema_nodes, columns, data_depth, zero_byte_items, bad_blocks);

/// Returns the default limits as a dict.
#[pyfunction]
pub(super) fn default_limits() -> Limits {
    polars_avro::Limits::default().into()
}

/// The fields of a `polars_avro.BadBlock`, in its order.
pub(super) type Report = (String, u64, u64, Option<u64>, &'static str, String, u64);

/// Converts a bad block for Python.
pub(super) fn report(bad: &BadBlock) -> Report {
    let position = bad.error.position();
    let kind = match bad.error.kind() {
        _ if bad.values_replaced > 0 => "value",
        _ if !bad.is_dropped => "framing",
        ErrorKind::Limit => "limit",
        ErrorKind::Unsupported => "unsupported",
        _ => "data",
    };
    (
        position.file.clone().unwrap_or_default(),
        position.block.unwrap_or_default(),
        position.offset.unwrap_or_default(),
        bad.rows_lost,
        kind,
        bad.error.to_string(),
        bad.values_replaced,
    )
}
