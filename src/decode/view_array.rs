//! Strings and bytes into arrays without checking them again.
#![allow(unsafe_code)]

use polars_arrow::array::{Array, BinaryViewArray, View};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::ArrowDataType;
use polars_buffer::Buffer;

/// The array of these views.
///
/// Duties of the caller, [`super::view::Views`] alone: a view of more than 12 bytes names a buffer of `buffers` and a
/// range inside it, and begins with its first four bytes; a shorter one is padded with zeros; and for `Utf8View` every
/// value was checked when it was pushed.
pub(super) fn build(
    dtype: &ArrowDataType,
    views: Vec<View>,
    buffers: Vec<Buffer<u8>>,
    validity: Option<Bitmap>,
) -> Box<dyn Array> {
    debug_assert!(build_checked(dtype, views.clone(), buffers.clone(), validity.clone()).is_ok());
    let (views, buffers) = (views.into(), buffers.into());
    // SAFETY: the duties above, asserted in debug builds by the checked twin.
    let array =
        unsafe { BinaryViewArray::new_unchecked_unknown_md(ArrowDataType::BinaryView, views, buffers, validity, None) };
    if *dtype == ArrowDataType::Utf8View {
        // SAFETY: as above.
        unsafe { array.to_utf8view_unchecked() }.boxed()
    } else {
        array.boxed()
    }
}

/// The same with every check.
fn build_checked(
    dtype: &ArrowDataType,
    views: Vec<View>,
    buffers: Vec<Buffer<u8>>,
    validity: Option<Bitmap>,
) -> polars_error::PolarsResult<Box<dyn Array>> {
    let array = BinaryViewArray::try_new(ArrowDataType::BinaryView, views.into(), buffers.into(), validity)?;
    if *dtype == ArrowDataType::Utf8View { Ok(array.to_utf8view()?.boxed()) } else { Ok(array.boxed()) }
}
