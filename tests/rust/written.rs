//! The fast encoder against one that is easy to believe, and files of any shares against those of one.

use polars_arrow::array::{
    Array, BinaryViewArray, BooleanArray, FixedSizeListArray, ListArray, PrimitiveArray, StructArray, Utf8ViewArray,
};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::offset::OffsetsBuffer;
use polars_arrow::types::NativeType;
use polars_avro::{Codec, MemorySink, Sink, WriteOptions, Writer};
use proptest::prelude::*;

const SYNC: [u8; 16] = *b"0123456789abcdef";

pub(crate) fn put_long(value: i64, out: &mut Vec<u8>) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest > 127 {
        out.push(rest as u8 | 128);
        rest >>= 7;
    }
    out.push(rest as u8);
}

pub(crate) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}

fn cast<A: 'static>(array: &dyn Array) -> &A {
    array.as_any().downcast_ref().unwrap()
}

/// A union with null, null first.
fn put(array: &dyn Array, row: usize, out: &mut Vec<u8>) {
    if array.is_null(row) {
        return out.push(0);
    }
    out.push(2);
    let numbers = |out: &mut Vec<u8>, value: i64| put_long(value, out);
    match array.dtype() {
        ArrowDataType::Boolean => out.push(cast::<BooleanArray>(array).value(row).into()),
        ArrowDataType::Int8 => numbers(out, cast::<PrimitiveArray<i8>>(array).value(row).into()),
        ArrowDataType::UInt16 => numbers(out, cast::<PrimitiveArray<u16>>(array).value(row).into()),
        ArrowDataType::Int32 => numbers(out, cast::<PrimitiveArray<i32>>(array).value(row).into()),
        ArrowDataType::UInt32 => numbers(out, cast::<PrimitiveArray<u32>>(array).value(row).into()),
        ArrowDataType::Int64 => numbers(out, cast::<PrimitiveArray<i64>>(array).value(row)),
        ArrowDataType::Float32 => out.extend(cast::<PrimitiveArray<f32>>(array).value(row).to_le_bytes()),
        ArrowDataType::Float64 => out.extend(cast::<PrimitiveArray<f64>>(array).value(row).to_le_bytes()),
        ArrowDataType::Utf8View => put_bytes(cast::<Utf8ViewArray>(array).value(row).as_bytes(), out),
        ArrowDataType::BinaryView => put_bytes(cast::<BinaryViewArray>(array).value(row), out),
        ArrowDataType::LargeList(_) => put_items(cast::<ListArray<i64>>(array).value(row).as_ref(), out),
        ArrowDataType::FixedSizeList(..) => put_items(cast::<FixedSizeListArray>(array).value(row).as_ref(), out),
        ArrowDataType::Struct(_) => {
            for field in cast::<StructArray>(array).values() {
                put(field.as_ref(), row, out);
            }
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn put_row(rows: &StructArray, row: usize, out: &mut Vec<u8>) {
    rows.values().iter().for_each(|array| put(array.as_ref(), row, out));
}

fn put_items(items: &dyn Array, out: &mut Vec<u8>) {
    if !items.is_empty() {
        put_long(items.len() as i64, out);
        (0..items.len()).for_each(|item| put(items, item, out));
    }
    out.push(0);
}

pub(crate) const ROWS: usize = 40;

fn validity(len: usize) -> impl Strategy<Value = Option<Bitmap>> {
    prop::option::of(prop::collection::vec(any::<bool>(), len).prop_map(Bitmap::from_iter))
}

fn primitive<T: NativeType + Arbitrary>(len: usize, dtype: ArrowDataType) -> BoxedStrategy<Box<dyn Array>> {
    let values = prop::collection::vec(any::<T>(), len);
    let array =
        move |(values, validity): (Vec<T>, _)| PrimitiveArray::new(dtype.clone(), values.into(), validity).boxed();
    (values, validity(len)).prop_map(array).boxed()
}

fn leaf(len: usize) -> BoxedStrategy<Box<dyn Array>> {
    let text = prop::collection::vec(prop::option::of(".{0,40}"), len);
    let bytes = prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..40)), len);
    prop_oneof![
        primitive::<i8>(len, ArrowDataType::Int8),
        primitive::<u16>(len, ArrowDataType::UInt16),
        primitive::<i32>(len, ArrowDataType::Int32),
        primitive::<u32>(len, ArrowDataType::UInt32),
        primitive::<i64>(len, ArrowDataType::Int64),
        primitive::<f32>(len, ArrowDataType::Float32),
        primitive::<f64>(len, ArrowDataType::Float64),
        prop::collection::vec(any::<Option<bool>>(), len).prop_map(|values| BooleanArray::from(values).boxed()),
        text.prop_map(|values| Utf8ViewArray::from_slice(values).boxed()),
        bytes.prop_map(|values| BinaryViewArray::from_slice(values).boxed()),
    ]
    .boxed()
}

fn item(array: &dyn Array) -> Field {
    Field::new("item".into(), array.dtype().clone(), true)
}

fn lists(len: usize, depth: usize) -> BoxedStrategy<Box<dyn Array>> {
    let lens = prop::collection::vec(0..4_i64, len);
    let list = move |lens: Vec<i64>| {
        let items = lens.iter().sum::<i64>() as usize;
        let offsets: Vec<i64> = std::iter::once(0)
            .chain(lens.iter().scan(0, |end, len| {
                *end += len;
                Some(*end)
            }))
            .collect();
        (column(items, depth), validity(len)).prop_map(move |(items, validity)| {
            let dtype = ArrowDataType::LargeList(Box::new(item(items.as_ref())));
            ListArray::new(dtype, OffsetsBuffer::try_from(offsets.clone()).unwrap(), items, validity).boxed()
        })
    };
    lens.prop_flat_map(list).boxed()
}

pub(crate) fn column(len: usize, depth: usize) -> BoxedStrategy<Box<dyn Array>> {
    if depth == 0 {
        return leaf(len);
    }
    let fixed = (column(len * 2, depth - 1), validity(len)).prop_map(move |(items, validity)| {
        let dtype = ArrowDataType::FixedSizeList(Box::new(item(items.as_ref())), 2);
        FixedSizeListArray::new(dtype, len, items, validity).boxed()
    });
    let record = (prop::collection::vec(column(len, depth - 1), 0..3), validity(len));
    let record = record.prop_map(move |(arrays, validity)| frame(arrays, len, validity).boxed());
    prop_oneof![2 => leaf(len), 1 => lists(len, depth - 1), 1 => fixed, 1 => record].boxed()
}

pub(crate) fn frame(arrays: Vec<Box<dyn Array>>, len: usize, validity: Option<Bitmap>) -> StructArray {
    let field = |(i, array): (usize, &dyn Array)| Field::new(format!("c{i}").into(), array.dtype().clone(), true);
    let fields = arrays.iter().map(AsRef::as_ref).enumerate().map(field).collect();
    StructArray::new(ArrowDataType::Struct(fields), len, arrays, validity)
}

pub(crate) fn written(frames: &[StructArray], codec: Codec, block_size: usize, n_threads: usize) -> Vec<u8> {
    let mut options = WriteOptions::default();
    (options.codec, options.block_size, options.sync_marker) = (codec, block_size, Some(SYNC));
    options.n_threads = Some(n_threads);
    let sink = MemorySink::new();
    let open = || Ok(Box::new(sink.clone()) as Box<dyn Sink>);
    let mut writer = Writer::create(open, frames[0].fields(), frames, &options).unwrap();
    for frame in frames {
        writer.write(frame).unwrap();
    }
    let size = writer.finish().unwrap().bytes;
    let bytes = sink.take().concat();
    assert_eq!(bytes.len() as u64, size);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_encoded_as_the_naive_encoder_has_them(
        arrays in prop::collection::vec(column(ROWS, 2), 1..5), start in 0..ROWS, len in 0..ROWS,
    ) {
        let whole = frame(arrays, ROWS, None);
        let mut rows = whole.clone();
        rows.slice(start, len.min(ROWS - start));
        let block = if rows.len() > 0 { naive_block(&rows) } else { Vec::new() };
        let file = written(&[rows], Codec::Null, usize::MAX >> 8, 1);
        prop_assert!(file.ends_with(&block));
        // What is before it is the header, which ends in the marker too.
        prop_assert!(file[..file.len() - block.len()].ends_with(&SYNC));
    }
}

/// The one block of a file of these rows, as the naive encoder has it.
fn naive_block(rows: &StructArray) -> Vec<u8> {
    let (mut content, mut block) = (Vec::new(), Vec::new());
    (0..rows.len()).for_each(|row| put_row(rows, row, &mut content));
    put_long(rows.len() as i64, &mut block);
    put_bytes(&content, &mut block);
    block.extend_from_slice(&SYNC);
    block
}

#[test]
fn rows_of_every_width_are_whole_in_chunks_of_any_length() {
    let row = |i: usize, widest: usize| vec![i as u8; if i % 7 == 6 { i % 5 } else { widest.saturating_sub(i % 3) }];
    for widest in (0..140).chain([1_000, 3_000]) {
        for len in [1, 15, 16, 17, 63, 64, 65, 79, 80, 127, 128, 129, 200] {
            let texts: Vec<Vec<u8>> = (0..len).map(|i| row(i, widest)).collect();
            let bytes = BinaryViewArray::from_slice_values(texts).boxed();
            let numbers = PrimitiveArray::from_vec((0..len as i64).map(|i| i * 1_000_003).collect()).boxed();
            for arrays in [vec![bytes.clone()], vec![bytes.clone(), numbers.clone()], vec![numbers, bytes]] {
                let rows = frame(arrays, len, None);
                let block = naive_block(&rows);
                let file = written(&[rows], Codec::Null, usize::MAX >> 8, 1);
                assert!(file.ends_with(&block), "{len} rows of {widest} bytes");
            }
        }
    }
}

#[test]
fn shares_do_not_depend_on_batches_and_threads() {
    let values: Vec<i64> = (0..300_000).map(|i| i * 7919 % 100_003).collect();
    let array = PrimitiveArray::from_vec(values).boxed();
    let whole = frame(vec![array], 300_000, None);
    let cut = |step: usize| -> Vec<StructArray> {
        let starts = (0..whole.len()).step_by(step);
        let part = |start: usize| {
            let mut part = whole.clone();
            part.slice(start, step.min(whole.len() - start));
            part
        };
        starts.map(part).collect()
    };
    let expected = written(std::slice::from_ref(&whole), Codec::Snappy, 65_536, 1);
    for (step, threads) in [(300_000, 2), (1_001, 1), (77_777, 3), (64, 2)] {
        assert!(written(&cut(step), Codec::Snappy, 65_536, threads) == expected, "{step} rows, {threads} threads");
    }
}
