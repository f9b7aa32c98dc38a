//! Concatenation of runs of several arrays of one type.

use polars_arrow::array::builder::{ShareStrategy, make_builder};
use polars_arrow::array::{Array, DictionaryArray, DictionaryKey, ListArray, MapArray, PrimitiveArray, StructArray};
use polars_arrow::bitmap::{Bitmap, MutableBitmap};
use polars_arrow::datatypes::{ArrowDataType, IntegerType};
use polars_arrow::offset::{Offset, Offsets, OffsetsBuffer};

/// `len` values of array number `array`, from `start` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) array: usize,
    pub(super) start: usize,
    pub(super) len: usize,
}

/// Concatenates the runs. All arrays have the same type, and there is at least one.
pub(super) fn interleave(arrays: &[Box<dyn Array>], runs: &[Run]) -> Box<dyn Array> {
    let dtype = arrays[0].dtype().clone();
    match &dtype {
        ArrowDataType::Struct(fields) => {
            let parts = downcast::<StructArray>(arrays);
            let child =
                |i: usize| interleave(&parts.iter().map(|part| part.values()[i].clone()).collect::<Vec<_>>(), runs);
            let children = (0..fields.len()).map(child).collect();
            StructArray::new(dtype, runs.iter().map(|run| run.len).sum(), children, validity(arrays, runs)).boxed()
        }
        ArrowDataType::LargeList(_) => {
            let parts = downcast::<ListArray<i64>>(arrays);
            let (offsets, items) = flatten(runs, |i| parts[i].offsets());
            let values: Vec<_> = parts.iter().map(|part| part.values().clone()).collect();
            ListArray::new(dtype, offsets, interleave(&values, &items), validity(arrays, runs)).boxed()
        }
        ArrowDataType::Map(..) => {
            let parts = downcast::<MapArray>(arrays);
            let (offsets, items) = flatten(runs, |i| parts[i].offsets());
            let entries: Vec<_> = parts.iter().map(|part| part.field().clone()).collect();
            MapArray::new(dtype, offsets, interleave(&entries, &items), validity(arrays, runs)).boxed()
        }
        ArrowDataType::Dictionary(IntegerType::UInt8, ..) => dictionary::<u8>(dtype, arrays, runs),
        ArrowDataType::Dictionary(IntegerType::UInt16, ..) => dictionary::<u16>(dtype, arrays, runs),
        ArrowDataType::Dictionary(..) => dictionary::<u32>(dtype, arrays, runs),
        _ => leaf(arrays, runs),
    }
}

fn leaf(arrays: &[Box<dyn Array>], runs: &[Run]) -> Box<dyn Array> {
    let mut builder = make_builder(arrays[0].dtype());
    builder.reserve(runs.iter().map(|run| run.len).sum());
    for run in runs {
        builder.subslice_extend(&*arrays[run.array], run.start, run.len, ShareStrategy::Always);
    }
    builder.freeze_reset()
}

/// Concatenates runs of keys: enums of one plan share their dictionary.
fn dictionary<K: DictionaryKey>(dtype: ArrowDataType, arrays: &[Box<dyn Array>], runs: &[Run]) -> Box<dyn Array> {
    let parts = downcast::<DictionaryArray<K>>(arrays);
    let keys: Vec<_> = parts.iter().map(|part| part.keys().clone().boxed()).collect();
    let keys = leaf(&keys, runs);
    let keys = keys.as_any().downcast_ref::<PrimitiveArray<K>>().expect("keys are built as keys").clone();
    DictionaryArray::try_new(dtype, keys, parts[0].values().clone()).expect("keys index the same dictionary").boxed()
}

fn downcast<T: 'static>(arrays: &[Box<dyn Array>]) -> Vec<&T> {
    arrays.iter().map(|array| array.as_any().downcast_ref().expect("the dtype says what the array is")).collect()
}

fn validity(arrays: &[Box<dyn Array>], runs: &[Run]) -> Option<Bitmap> {
    arrays.iter().any(|array| array.validity().is_some()).then(|| {
        let mut bits = MutableBitmap::new();
        for run in runs {
            match arrays[run.array].validity() {
                Some(validity) => bits.extend_from_bitmap(&validity.clone().sliced(run.start, run.len)),
                None => bits.extend_constant(run.len, true),
            }
        }
        bits.freeze()
    })
}

/// Returns the offsets of the lists in `runs`, and the runs of their items.
fn flatten<'a, O: Offset>(
    runs: &[Run],
    offsets: impl Fn(usize) -> &'a OffsetsBuffer<O>,
) -> (OffsetsBuffer<O>, Vec<Run>) {
    let mut out = Offsets::new();
    let mut items = Vec::with_capacity(runs.len());
    for run in runs {
        let offsets = offsets(run.array);
        for i in run.start..run.start + run.len {
            out.try_push(offsets.length_at(i)).expect("no more items than there were");
        }
        let start = offsets[run.start].to_usize();
        items.push(Run { array: run.array, start, len: offsets[run.start + run.len].to_usize() - start });
    }
    (out.into(), items)
}
