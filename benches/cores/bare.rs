//! Bare decompression and decoding: blocks that are in memory are cut into one run a thread beforehand. There is no queue,
//! and nothing is checked but the bounds of slices.

use std::sync::Barrier;
use std::time::Instant;

use crate::naive::{Schema, Shape, Type, item_blocks, long, prefixed, take, text};

/// Rows of a batch at most.
const BATCH: usize = 1 << 13;

/// The blocks of files, all of one schema.
pub(crate) struct Bare {
    schema: Schema,
    snappy: bool,
    blocks: Vec<Block>,
}

struct Block {
    rows: usize,
    data: Vec<u8>,
}

impl Bare {
    /// `None` for a codec that it does not know, and for what cannot be cut.
    pub(crate) fn of(files: &[String]) -> Option<Self> {
        let mut blocks = Vec::new();
        let mut first = None;
        for file in files {
            let file = std::fs::read(file).unwrap();
            let rest = &mut &file[4..];
            let (mut schema, mut codec) = (None, "null".to_owned());
            item_blocks(rest, |rest| {
                match (text(rest)?.as_str(), prefixed(rest)?) {
                    ("avro.schema", value) => schema = serde_json::from_slice(value).ok(),
                    ("avro.codec", value) => codec = String::from_utf8_lossy(value).into_owned(),
                    _ => {}
                }
                Ok(())
            })
            .unwrap();
            first.get_or_insert((Schema::parse(&schema.unwrap()), codec));
            take(rest, 16).unwrap();
            while !rest.is_empty() {
                let rows = long(rest).unwrap() as usize;
                blocks.push(Block { rows, data: prefixed(rest).unwrap().to_vec() });
                take(rest, 16).unwrap();
            }
        }
        let (schema, codec) = first?;
        (blocks.len() > 1 && ["null", "snappy"].contains(&codec.as_str())).then(|| Self {
            schema,
            snappy: codec == "snappy",
            blocks,
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.blocks.iter().map(|block| block.rows).sum()
    }

    /// How long it takes so many threads, after they have done the same once.
    pub(crate) fn seconds(&self, threads: usize) -> f64 {
        let runs = self.runs(threads);
        let all = Barrier::new(runs.len());
        let decode = |run: &[Block]| {
            drop(self.decode(run));
            all.wait();
            let start = Instant::now();
            let batches = self.decode(run);
            let end = Instant::now();
            all.wait();
            (start, end, batches.iter().map(|batch| batch.rows).sum::<usize>())
        };
        let times: Vec<_> = std::thread::scope(|scope| {
            let mut runs = runs.into_iter();
            let own = runs.next().unwrap();
            let others: Vec<_> = runs.map(|run| scope.spawn(|| decode(run))).collect();
            let own = decode(own);
            others.into_iter().map(|other| other.join().unwrap()).chain([own]).collect()
        });
        assert_eq!(times.iter().map(|(.., rows)| rows).sum::<usize>(), self.rows());
        let start = times.iter().map(|(start, ..)| start).min().unwrap();
        times.iter().map(|(_, end, _)| end).max().unwrap().duration_since(*start).as_secs_f64()
    }

    /// As many runs of blocks, of about as many rows each.
    fn runs(&self, threads: usize) -> Vec<&[Block]> {
        let share = self.rows().div_ceil(threads);
        let mut before = 0;
        let same_run = |block: &Block, _: &Block| {
            let run = before / share;
            before += block.rows;
            before / share == run
        };
        self.blocks.chunk_by(same_run).collect()
    }

    fn decode(&self, run: &[Block]) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        let (mut decoder, mut buffer) = (snap::raw::Decoder::new(), Vec::new());
        for block in run {
            if batches.last().is_none_or(|batch| batch.rows + block.rows > BATCH) {
                batches.push(Batch { rows: 0, column: Column::new(&self.schema, &self.schema.root, BATCH) });
            }
            let batch = batches.last_mut().unwrap();
            let mut bytes = block.data.as_slice();
            if self.snappy {
                // The checksum is behind.
                let data = &bytes[..bytes.len() - 4];
                buffer.resize(snap::raw::decompress_len(data).unwrap(), 0);
                decoder.decompress(data, &mut buffer).unwrap();
                bytes = &buffer;
            }
            for _ in 0..block.rows {
                batch.column.push(&mut bytes);
            }
            assert!(bytes.is_empty());
            batch.rows += block.rows;
        }
        batches
    }
}

struct Batch {
    rows: usize,
    column: Column,
}

/// The values of a type.
enum Column {
    Null,
    Boolean(Vec<u8>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<usize>, Vec<u8>),
    Fixed(usize, Vec<u8>),
    /// Where each list ends, and the columns of an item: two for a map.
    List(Vec<usize>, Vec<Column>),
    /// Which branch each value is of; a branch has the values that are there.
    Union(Vec<u8>, Vec<Column>),
    Record(Vec<Column>),
}

impl Column {
    fn new(schema: &Schema, ty: &Type, rows: usize) -> Self {
        let inner = |ty, rows| Self::new(schema, ty, rows);
        match &schema.target(ty).shape {
            Shape::Null => Self::Null,
            Shape::Boolean => Self::Boolean(Vec::with_capacity(rows)),
            Shape::Int | Shape::Enum { .. } => Self::Int(Vec::with_capacity(rows)),
            Shape::Long => Self::Long(Vec::with_capacity(rows)),
            Shape::Float => Self::Float(Vec::with_capacity(rows)),
            Shape::Double => Self::Double(Vec::with_capacity(rows)),
            Shape::Bytes | Shape::String => Self::Bytes(Vec::with_capacity(rows), Vec::new()),
            Shape::Fixed { size, .. } => Self::Fixed(*size, Vec::with_capacity(rows * size)),
            Shape::Array(items) => Self::List(Vec::with_capacity(rows), vec![inner(items, 0)]),
            Shape::Map(values) => {
                let keys = Self::Bytes(Vec::new(), Vec::new());
                Self::List(Vec::with_capacity(rows), vec![keys, inner(values, 0)])
            }
            Shape::Union(branches) => {
                Self::Union(Vec::with_capacity(rows), branches.iter().map(|ty| inner(ty, rows)).collect())
            }
            Shape::Record { fields, .. } => Self::Record(fields.iter().map(|(_, ty)| inner(ty, rows)).collect()),
            Shape::Reference(name) => panic!("{name} refers to a reference"),
        }
    }

    fn push(&mut self, bytes: &mut &[u8]) {
        match self {
            Self::Null => {}
            Self::Boolean(values) => values.push(array::<1>(bytes)[0]),
            Self::Int(values) => values.push(number(bytes) as i32),
            Self::Long(values) => values.push(number(bytes)),
            Self::Float(values) => values.push(f32::from_le_bytes(array(bytes))),
            Self::Double(values) => values.push(f64::from_le_bytes(array(bytes))),
            Self::Bytes(ends, values) => {
                let len = number(bytes) as usize;
                values.extend_from_slice(&bytes[..len]);
                *bytes = &bytes[len..];
                ends.push(values.len());
            }
            Self::Fixed(size, values) => {
                values.extend_from_slice(&bytes[..*size]);
                *bytes = &bytes[*size..];
            }
            Self::List(ends, items) => {
                let mut end = ends.last().copied().unwrap_or(0);
                loop {
                    let count = number(bytes);
                    if count < 0 {
                        number(bytes);
                    }
                    for _ in 0..count.unsigned_abs() {
                        for column in items.iter_mut() {
                            column.push(bytes);
                        }
                    }
                    end += count.unsigned_abs() as usize;
                    if count == 0 {
                        break;
                    }
                }
                ends.push(end);
            }
            Self::Union(which, branches) => {
                let branch = number(bytes) as usize;
                which.push(branch as u8);
                branches[branch].push(bytes);
            }
            Self::Record(fields) => fields.iter_mut().for_each(|field| field.push(bytes)),
        }
    }
}

#[inline]
fn array<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (value, rest) = bytes.split_first_chunk().unwrap();
    *bytes = rest;
    *value
}

/// As the naive decoder's, which checks more and is slow.
#[inline]
fn number(bytes: &mut &[u8]) -> i64 {
    let (mut raw, mut shift) = (0u64, 0);
    loop {
        let [byte] = array(bytes);
        raw |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return (raw >> 1) as i64 ^ -((raw & 1) as i64);
        }
        shift += 7;
    }
}
