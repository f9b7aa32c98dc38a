//! The Arrow dtypes that the property of each restored dtype accepts.

use polars_arrow::datatypes::ArrowDataType;

use crate::schema::Restored;

impl Restored {
    /// Returns true if values of a dtype as Arrow has it come back as what they were. Those that were checked when they
    /// were made, such as times, come from the very dtype alone.
    pub(crate) fn takes(&self, dtype: &ArrowDataType) -> bool {
        match self {
            Self::Int8 => *dtype == ArrowDataType::Int8,
            Self::Int16 => *dtype == ArrowDataType::Int16,
            Self::UInt8 => *dtype == ArrowDataType::UInt8,
            Self::UInt16 => *dtype == ArrowDataType::UInt16,
            Self::UInt32 => *dtype == ArrowDataType::UInt32,
            Self::UInt64 => *dtype == ArrowDataType::UInt64,
            Self::Int128 => *dtype == ArrowDataType::Int128,
            Self::UInt128 => *dtype == ArrowDataType::UInt128,
            Self::Float16 => *dtype == ArrowDataType::Float16,
            Self::Time => matches!(dtype, ArrowDataType::Time64(_)),
            Self::Duration(_) => matches!(dtype, ArrowDataType::Duration(_)),
            Self::Array(width) => matches!(dtype, ArrowDataType::FixedSizeList(_, n) if n == width),
            // Lists of entries too, as readers without maps have them.
            Self::Map => matches!(dtype, ArrowDataType::Map(..) | ArrowDataType::LargeList(_)),
            Self::Zone(_) | Self::Categorical(_) | Self::Enum(_) => true,
        }
    }
}
