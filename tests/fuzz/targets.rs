//! What is done with hostile bytes. Each target takes any bytes and must come back: with rows, or with an error that is
//! the bytes' fault.

use std::sync::Arc;

use polars_avro::{BadBlock, ContainerFile, Error, ErrorKind, Limits, MemorySource, OpenOptions, ReadOptions, Schema};

use crate::choices::Choices;
use crate::container::{self, CODECS, Container};
use crate::expected::{self, Cell};
use crate::seeds::PLAIN;
use crate::{bad_blocks, markers, schemas};

pub(crate) type Rows = Vec<Vec<Cell>>;

/// Small enough that what ignores them is seen.
fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.header_bytes, limits.block_bytes) = (1 << 20, 1 << 20);
    (limits.columns, limits.schema_nodes, limits.zero_byte_items) = (1 << 10, 1 << 12, 1 << 12);
    limits
}

#[track_caller]
fn by_the_bytes(error: &Error) {
    let kinds = [ErrorKind::Data, ErrorKind::Mismatch, ErrorKind::Schema, ErrorKind::Limit, ErrorKind::Unsupported];
    assert!(kinds.contains(&error.kind()), "{error:?}");
}

fn open(file: &[u8]) -> Result<ContainerFile, Error> {
    let mut options = OpenOptions::default();
    options.limits = limits();
    ContainerFile::open(Arc::new(MemorySource::new(file.to_vec())), &options)
}

/// The naive decoder refuses what is left after the rows of a block.
fn options(threads: usize) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.strict = true;
    options.n_threads = Some(threads);
    options
}

/// A whole file, read strictly. Gives its rows.
pub(crate) fn file(bytes: &[u8]) -> Option<Rows> {
    let opened = open(bytes).map_err(|error| by_the_bytes(&error)).ok()?;
    let _ = opened.count_rows(None).map_err(|error| by_the_bytes(&error));
    let (rows, bad) = bad_blocks::read(&opened, &options(1)).map_err(|error| by_the_bytes(&error)).ok()?;
    assert_eq!(bad.len(), 0, "nothing is left out unasked");
    assert_eq!(opened.count_rows(None).unwrap(), rows.len() as u64);
    Some(rows)
}

/// A whole file, damage left out: no error but for the header's.
pub(crate) fn salvage(bytes: &[u8]) -> Option<Rows> {
    let opened = open(bytes).map_err(|error| by_the_bytes(&error)).ok()?;
    let mut options = options(1);
    options.strict = false;
    let undamaged = options.clone();
    options.ignore_errors = true;
    let (found, bad) = bad_blocks::read(&opened, &options).unwrap();
    for bad in &bad {
        by_the_bytes(&bad.error);
    }
    let offsets: Vec<_> = bad.iter().map(|bad| bad.error.position().offset.unwrap()).collect();
    assert!(offsets.is_sorted(), "reports in file order: {offsets:?}");
    assert_eq!(opened.count_readable_rows(None).unwrap(), found.len() as u64);
    match bad_blocks::read(&opened, &undamaged) {
        Ok((rows, reported)) => {
            assert_eq!((rows, reported.len()), (found.clone(), bad.len()), "a sound file is read the same");
        }
        Err(_) => assert_ne!(bad.len(), 0, "what is an error is reported"),
    }
    if !markers::are_all_there(&opened, bytes, &found) {
        assert!(markers::has_blocks_in_blocks(&opened, bytes), "a sound block is lost of {found:?}");
    }
    Some(found)
}

/// What is left of a damaged file does not depend on threads and batches, nor on which of it is asked for.
pub(crate) fn shares(bytes: &[u8], choices: &mut Choices) -> Rows {
    let opened = open(bytes).unwrap();
    let mut options = options(1);
    options.ignore_errors = true;
    let (whole, bad) = bad_blocks::read(&opened, &options).unwrap();
    let places = |bad: &[BadBlock]| bad.iter().map(|bad| bad.error.position().clone()).collect::<Vec<_>>();
    options.n_threads = None;
    for batch_bytes in [5_000, 100_000, 16 << 20] {
        options.batch_bytes = batch_bytes;
        let (rows, other) = bad_blocks::read(&opened, &options).unwrap();
        assert!(rows == whole, "{} rows of {} in batches of {batch_bytes} bytes", rows.len(), whole.len());
        assert_eq!(places(&other), places(&bad));
        let at = choices.below(opened.fields().len());
        let (skip, take) = (choices.below(whole.len() + 2), choices.below(whole.len() + 2));
        let mut options = options.clone();
        options.columns = Some(vec![opened.fields()[at].name.to_string()]);
        options.row_index = Some(("number".into(), 7));
        (options.offset, options.length) = (skip as u64, Some(take as u64));
        let share = whole.iter().enumerate().skip(skip).take(take);
        let share: Rows = share.map(|(number, row)| vec![Cell::UInt32(number as u32 + 7), row[at].clone()]).collect();
        assert!(bad_blocks::read(&opened, &options).unwrap().0 == share, "{skip}, {take}, column {at}");
    }
    whole
}

/// A sound file has every row in one of its parts, wherever it is cut.
pub(crate) fn splits(bytes: &[u8], cuts: &[u64]) {
    let Ok(opened) = open(bytes) else { return };
    for ignore_errors in [false, true] {
        let mut options = options(1);
        options.ignore_errors = ignore_errors;
        let Ok((whole, _)) = bad_blocks::read(&opened, &options) else { continue };
        let mut parts = Rows::new();
        for cut in cuts.windows(2) {
            options.byte_range = Some(cut[0]..cut[1]);
            parts.extend(bad_blocks::read(&opened, &options).unwrap().0);
        }
        if parts != whole {
            assert!(markers::has_blocks_in_blocks(&opened, bytes), "{cuts:?} {ignore_errors}\n{parts:?}\n{whole:?}");
        }
    }
}

/// How many bytes in front of a file say where to cut it.
pub(crate) const CUTS: usize = 8;

/// A file with the places to cut it at in front.
pub(crate) fn cut(bytes: &[u8]) {
    let Some((cuts, file)) = bytes.split_at_checked(CUTS) else { return };
    let mut cuts: Vec<_> = cuts.chunks(2).map(|cut| u64::from(cut[0]) | u64::from(cut[1]) << 8).collect();
    cuts.extend([0, u64::MAX]);
    cuts.sort_unstable();
    splits(file, &cuts);
}

/// The JSON of a schema.
pub(crate) fn schema(json: &[u8]) {
    let Ok(json) = std::str::from_utf8(json) else { return };
    match Schema::parse(json, &limits()) {
        Err(error) => by_the_bytes(&error),
        Ok(schema) => {
            let canonical = schema.canonical_form();
            // A name of no namespace inside one is another name when the canonical form is read.
            if !json.contains("namespace") && !canonical.contains('.') {
                let again = Schema::parse(&canonical, &limits()).unwrap();
                assert_eq!(again.canonical_form(), canonical, "of {json}");
            }
            file(&Container::new(json, "null").build());
        }
    }
}

/// The bytes of a compressed block; the first byte says of which codec.
pub(crate) fn block(bytes: &[u8]) {
    let Some((codec, block)) = bytes.split_first() else { return };
    let json = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"}]}"#;
    let container = Container::new(json, CODECS[usize::from(*codec) % CODECS.len()]).block(1, [0]).but(|whole| {
        whole.bytes = block.to_vec();
        whole.size = block.len() as i64;
    });
    file(&container.build());
}

/// A schema of random types, the plain one for 0.
pub(crate) fn numbered_schema(number: u8) -> String {
    match number {
        0 => PLAIN.to_owned(),
        number => schemas::schema(&mut Choices::Seed(u64::from(number))).to_string(),
    }
}

/// Rows: the first byte says of which schema, the second how many. The naive decoder says whether they are right.
pub(crate) fn decode(bytes: &[u8]) {
    let Some((&[number, count], data)) = bytes.split_first_chunk() else { return };
    let container = Container::new(&numbered_schema(number), "null").block(i64::from(count % 8), data).build();
    let opened = open(&container).unwrap();
    let found = match bad_blocks::read(&opened, &options(1)) {
        Err(error) if error.kind() == ErrorKind::Limit => return,
        found => found.map_err(|error| by_the_bytes(&error)),
    };
    assert_eq!(file(&container), found.as_ref().ok().map(|(rows, _)| rows.clone()));
    let expected = container::read(&container).and_then(|(schema, values)| {
        values.iter().map(|value| expected::row(&schema, value)).collect::<Result<Rows, _>>()
    });
    match (found, expected) {
        (Ok((found, _)), Ok(expected)) => {
            assert_eq!(found, expected);
            skip(&opened, &expected);
        }
        (Err(()), Err(_)) => {}
        (found, expected) => panic!("{found:?}, but the naive decoder says {expected:?}"),
    }
}

/// Passing over a column finds the next one where decoding it does.
fn skip(opened: &ContainerFile, whole: &Rows) {
    for (at, field) in opened.fields().iter().enumerate() {
        let mut options = options(1);
        options.columns = Some(vec![field.name.to_string()]);
        let column: Rows = whole.iter().map(|row| vec![row[at].clone()]).collect();
        assert_eq!(bad_blocks::read(opened, &options).unwrap().0, column, "{}", field.name);
    }
}
