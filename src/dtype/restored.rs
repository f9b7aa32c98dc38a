//! The Arrow dtypes that the property of each restored dtype accepts.

use polars_arrow::datatypes::ArrowDataType;

use crate::schema::Restored;

impl Restored {
    /// Returns true if values of an Arrow dtype are restored when they are read. Some dtypes, such as times, check
    /// their values when they are made, so only the same dtype is accepted for them.
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
            // Lists of entries are accepted too, as some readers have no maps.
            Self::Map => matches!(dtype, ArrowDataType::Map(..) | ArrowDataType::LargeList(_)),
            Self::Zone(_) | Self::TextTimestamp(_) | Self::ScaledNumber | Self::Categorical(_) | Self::Enum(_) => true,
        }
    }
}
