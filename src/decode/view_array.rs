//! Arrays of strings and bytes, made without a second check.
#![allow(unsafe_code)]

use polars_arrow::array::{Array, BinaryViewArray, View};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::ArrowDataType;
use polars_buffer::Buffer;

/// Returns the array of these views.
///
/// The only caller, [`super::view::Views`], must guarantee: a view of more than 12 bytes refers to a range within one
/// of `buffers` and has its first four bytes. A shorter one is padded with zeros. For `Utf8View` every value was
/// checked when it was pushed.
pub(super) fn build(
    dtype: &ArrowDataType,
    views: Vec<View>,
    buffers: Vec<Buffer<u8>>,
    validity: Option<Bitmap>,
) -> Box<dyn Array> {
    debug_assert!(build_checked(dtype, views.clone(), buffers.clone(), validity.clone()).is_ok());
    let (views, buffers) = (views.into(), buffers.into());
    // SAFETY: the guarantees above, which `build_checked` asserts in debug builds.
    let array =
        unsafe { BinaryViewArray::new_unchecked_unknown_md(ArrowDataType::BinaryView, views, buffers, validity, None) };
    if *dtype == ArrowDataType::Utf8View {
        // SAFETY: as above.
        unsafe { array.to_utf8view_unchecked() }.boxed()
    } else {
        array.boxed()
    }
}

/// Returns the array of these views, after checking all guarantees.
fn build_checked(
    dtype: &ArrowDataType,
    views: Vec<View>,
    buffers: Vec<Buffer<u8>>,
    validity: Option<Bitmap>,
) -> polars_error::PolarsResult<Box<dyn Array>> {
    let array = BinaryViewArray::try_new(ArrowDataType::BinaryView, views.into(), buffers.into(), validity)?;
    if *dtype == ArrowDataType::Utf8View { Ok(array.to_utf8view()?.boxed()) } else { Ok(array.boxed()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns values of all lengths around the inline limit, in two buffers, with a null among them.
    fn parts(text: &str) -> (Vec<View>, Vec<Buffer<u8>>, Option<Bitmap>) {
        let mut buffers = vec![Vec::new(), Vec::new()];
        let mut views = vec![View::default()];
        for len in (0..40).filter(|&len| text.is_char_boundary(len)) {
            let (value, buffer) = (&text.as_bytes()[..len], len % 2);
            let view = View::new_from_bytes(value, buffer as u32, buffers[buffer].len() as u32);
            if len > View::MAX_INLINE_SIZE as usize {
                buffers[buffer].extend_from_slice(value);
            }
            views.push(view);
        }
        let validity = (0..views.len()).map(|i| i != 0).collect();
        (views, buffers.into_iter().map(Buffer::from).collect(), Some(validity))
    }

    #[test]
    fn with_and_without_checks_the_array_is_the_same() {
        for dtype in [ArrowDataType::BinaryView, ArrowDataType::Utf8View] {
            for text in ["0123456789".repeat(4), "äß€😀".repeat(4)] {
                let (views, buffers, validity) = parts(&text);
                let twin = build_checked(&dtype, views.clone(), buffers.clone(), validity.clone()).unwrap();
                assert_eq!(build(&dtype, views, buffers, validity), twin, "{dtype:?} {text}");
            }
        }
    }

    #[test]
    fn the_twin_refuses_what_the_duties_forbid() {
        let bad = View { length: 20, prefix: 0, buffer_idx: 0, offset: 0 };
        assert!(build_checked(&ArrowDataType::BinaryView, vec![bad], vec![vec![0; 19].into()], None).is_err());
        let view = View::new_inline(&[0xff]);
        assert!(build_checked(&ArrowDataType::Utf8View, vec![view], Vec::new(), None).is_err());
    }
}
