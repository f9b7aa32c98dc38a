//! Detection of times of day that microseconds cannot represent.

use polars_arrow::array::{Array, FixedSizeListArray, ListArray, MapArray, PrimitiveArray, StructArray};
use polars_arrow::datatypes::ArrowDataType;

/// Returns true if any time in an array is not a multiple of a microsecond. Values under nulls count too: they are
/// rare, and a schema for finer times holds any time.
pub(super) fn has_fine_times(array: &dyn Array) -> bool {
    let any = array.as_any();
    match array.dtype().to_storage() {
        ArrowDataType::Time64(_) => any
            .downcast_ref::<PrimitiveArray<i64>>()
            .is_some_and(|times| times.iter().flatten().any(|nanos| nanos % 1000 != 0)),
        ArrowDataType::LargeList(_) => {
            // Items cut off by slicing are ignored.
            any.downcast_ref::<ListArray<i64>>().is_some_and(|lists| {
                let (start, end) = (*lists.offsets().first() as usize, *lists.offsets().last() as usize);
                has_fine_times(lists.values().sliced(start, end - start).as_ref())
            })
        }
        ArrowDataType::FixedSizeList(..) => {
            any.downcast_ref::<FixedSizeListArray>().is_some_and(|lists| has_fine_times(lists.values().as_ref()))
        }
        ArrowDataType::Map(..) => {
            any.downcast_ref::<MapArray>().is_some_and(|maps| has_fine_times(maps.field().as_ref()))
        }
        ArrowDataType::Struct(_) => any
            .downcast_ref::<StructArray>()
            .is_some_and(|records| records.values().iter().any(|array| has_fine_times(array.as_ref()))),
        _ => false,
    }
}
