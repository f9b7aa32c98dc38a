//! Times of day that microseconds do not hold.

use polars_arrow::array::{Array, FixedSizeListArray, ListArray, MapArray, PrimitiveArray, StructArray};
use polars_arrow::datatypes::ArrowDataType;

/// Returns true if any time in an array is no whole number of microseconds. What lies under nulls counts too: it is
/// rare, and a schema for finer times holds any.
pub(super) fn has_fine_times(array: &dyn Array) -> bool {
    let any = array.as_any();
    match array.dtype().to_storage() {
        ArrowDataType::Time64(_) => any
            .downcast_ref::<PrimitiveArray<i64>>()
            .is_some_and(|times| times.iter().flatten().any(|nanos| nanos % 1000 != 0)),
        ArrowDataType::LargeList(_) => {
            // Items that slicing has cut off are not looked at.
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
