//! What it saves not to check strings a second time: the two ways of making an array of views that
//! `src/decode/view_array.rs` stands between.

#![expect(unsafe_code, reason = "what it saves is what is measured")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};
use polars_arrow::array::{BinaryViewArray, View};
use polars_arrow::datatypes::ArrowDataType;
use polars_buffer::Buffer;

/// Views of so many values, and the buffer that the long ones stand in.
type Parts = (Vec<View>, Vec<Buffer<u8>>);

/// Strings of `len` bytes, every fourth with a character that is not ASCII.
fn parts(rows: usize, len: usize) -> Parts {
    let mut buffer = Vec::new();
    let mut views = Vec::with_capacity(rows);
    for row in 0..rows {
        let end = if row % 4 == 0 { "é" } else { "ee" };
        let value = format!("{row:0>width$}{end}", width = len - 2);
        if len <= View::MAX_INLINE_SIZE as usize {
            views.push(View::new_inline(value.as_bytes()));
        } else {
            views.push(View::new_from_bytes(value.as_bytes(), 0, buffer.len() as u32));
            buffer.extend_from_slice(value.as_bytes());
        }
    }
    (views, if buffer.is_empty() { Vec::new() } else { vec![buffer.into()] })
}

fn checked((views, buffers): Parts) -> usize {
    let array = BinaryViewArray::try_new(ArrowDataType::BinaryView, views.into(), buffers.into(), None).unwrap();
    black_box(array.to_utf8view().unwrap()).len()
}

fn unchecked((views, buffers): Parts) -> usize {
    let (views, buffers) = (views.into(), buffers.into());
    // SAFETY: the parts are those of valid strings.
    let array = unsafe {
        BinaryViewArray::new_unchecked_unknown_md(ArrowDataType::BinaryView, views, buffers, None, None)
            .to_utf8view_unchecked()
    };
    black_box(array).len()
}

/// Short strings, which stand in their views, and longer ones.
pub(crate) fn views(criterion: &mut Criterion, rows: usize) {
    for len in [8, 40] {
        let made = parts(rows, len);
        let mut group = criterion.benchmark_group(format!("views/{len} bytes"));
        group.throughput(Throughput::Elements(rows as u64));
        for (name, build) in [("checked", checked as fn(Parts) -> usize), ("unchecked", unchecked)] {
            group.bench_function(name, |bencher| bencher.iter_batched(|| made.clone(), build, BatchSize::LargeInput));
        }
        group.finish();
    }
}
