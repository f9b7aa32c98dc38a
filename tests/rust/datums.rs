//! Random datums in columns: this crate and the naive decoder say the same, of good rows and of bad ones.

use std::collections::HashSet;
use std::sync::Arc;

use polars_arrow::array::{Array, BinaryViewArray};
use polars_avro::schema::Fingerprint;
use polars_avro::{DatumDecoder, DatumOptions, Decoded, Framing, Limits, RowIds, SchemaId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::choices::Choices;
use crate::columns;
use crate::differential::cases;
use crate::expected::{self, Cell};
use crate::naive::{Schema, Shape, is_given_up};
use crate::schemas;
use crate::values::{encode, value};

const FRAMINGS: [Framing; 5] =
    [Framing::Datum, Framing::SingleObject, Framing::Confluent, Framing::Apicurio, Framing::Glue];

/// What makes a column.
#[derive(Clone, Debug)]
struct Case {
    schema: Vec<u8>,
    rows: usize,
    values: u64,
    framing: usize,
    damage: usize,
}

fn case() -> impl Strategy<Value = Case> {
    let parts = (vec(any::<u8>(), 0..160), 0..300usize, any::<u64>(), 0..FRAMINGS.len(), 0..4usize);
    parts.prop_map(|(schema, rows, values, framing, damage)| Case { schema, rows, values, framing, damage })
}

/// A column in chunks, and what each row is: `None` for a bad one.
struct Column {
    json: String,
    chunks: Vec<BinaryViewArray>,
    dtype: String,
    cells: Vec<Option<Cell>>,
}

fn parsed(json: &str) -> Arc<polars_avro::Schema> {
    Arc::new(polars_avro::Schema::parse(json, &Limits::default()).unwrap())
}

fn header(framing: Framing, schema: &polars_avro::Schema) -> Vec<u8> {
    match framing {
        Framing::SingleObject => [vec![0xc3, 1], schema.fingerprint(Fingerprint::Rabin)].concat(),
        Framing::Confluent => vec![0, 1, 2, 3, 4],
        Framing::Apicurio => vec![0, 1, 2, 3, 4, 5, 6, 7, 8],
        Framing::Glue => [&[3, 0][..], &[7; 16]].concat(),
        _ => Vec::new(),
    }
}

/// What a datum is, if it is one from beginning to end.
fn naive(schema: &Schema, datum: &[u8]) -> Result<Cell, String> {
    let mut rest = datum;
    let value = schema.decode(&schema.root, &mut rest)?;
    if !rest.is_empty() {
        return Err("bytes are left".into());
    }
    let mut row = expected::row(schema, &value)?;
    match schema.root.shape {
        Shape::Record { .. } => Ok(Cell::Struct(row)),
        _ => row.pop().ok_or_else(|| "no column".into()),
    }
}

fn build(case: &Case) -> Column {
    let json = schemas::schema(&mut Choices::tape(&case.schema)).to_string();
    let schema = Schema::parse(&serde_json::from_str(&json).unwrap());
    let front = header(FRAMINGS[case.framing], &parsed(&json));
    let mut choices = Choices::Seed(case.values);
    // Many rows without a null or a bad one among them are decoded in another way.
    let (nulls, bad) = (choices.pick(&[4, 8, 1000]), choices.pick(&[4, 50, 1000]));
    let (mut rows, mut cells) = (Vec::new(), Vec::new());
    for _ in 0..case.rows {
        if choices.one_in(nulls) {
            rows.push(None);
            cells.push(Some(Cell::Null));
            continue;
        }
        let mut datum = Vec::new();
        let row = value(&schema, &schema.root, &mut choices, 0);
        encode(&schema, &schema.root, &row, &mut choices, &mut datum);
        if case.damage > 0 && choices.one_in(bad) {
            damage(&schema, &mut datum, &mut choices);
        }
        cells.push(naive(&schema, &datum).ok());
        rows.push(Some([front.clone(), datum].concat()));
    }
    let mut rest = &rows[..];
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(1 + choices.below(rest.len()));
        // A slice has rows of others before and behind its own.
        let skipped = choices.below(2).min(chunk.len());
        let mut array = BinaryViewArray::from_slice([&chunk[..skipped], chunk].concat());
        array.slice(skipped, chunk.len());
        chunks.push(array);
        rest = behind;
    }
    let fields = expected::columns(&schema);
    let dtype = match schema.root.shape {
        Shape::Record { .. } => {
            expected::struct_text(fields.iter().map(|(name, dtype)| (name.as_str(), dtype.clone())))
        }
        _ => fields[0].1.clone(),
    };
    Column { json, chunks, dtype, cells }
}

/// Changes a datum, unless the naive decoder could not say what it is then.
fn damage(schema: &Schema, datum: &mut Vec<u8>, choices: &mut Choices) {
    let mut damaged = datum.clone();
    match choices.below(3) {
        0 => damaged.truncate(choices.below(datum.len() + 1)),
        1 => damaged.push(choices.below(256) as u8),
        _ if datum.is_empty() => {}
        _ => {
            let at = choices.below(datum.len());
            damaged[at] = choices.below(256) as u8;
        }
    }
    if !naive(schema, &damaged).is_err_and(|error| is_given_up(&error)) {
        *datum = damaged;
    }
}

/// Items without bytes: a count alone makes any number of them, and what bounds it here is a limit of the naive decoder.
#[test]
fn many_items_without_bytes_are_a_datum() {
    let json = r#"{"type": "array", "items": "null"}"#;
    let count = 1_000_000u32;
    let datum = [&[0x80, 0x89, 0x7a][..], &[0]].concat();
    let schema = Schema::parse(&serde_json::from_str(json).unwrap());
    assert!(is_given_up(&naive(&schema, &datum).unwrap_err()));
    let chunks = [BinaryViewArray::from_slice([Some(datum)])];
    let (cells, bad, _) = decode(&decoder(json, Framing::Datum, true), &chunks).unwrap();
    assert_eq!((cells, bad), (vec![Cell::List(vec![Cell::Null; count as usize])], 0));
}

fn decoder(json: &str, framing: Framing, ignore_errors: bool) -> DatumDecoder {
    let mut options = DatumOptions::default();
    options.schema = Some(parsed(json));
    (options.framing, options.ignore_ids, options.ignore_errors) = (framing, true, ignore_errors);
    DatumDecoder::new(options).unwrap()
}

/// The rows of a column, how many are bad, and which is the first.
fn decode(decoder: &DatumDecoder, chunks: &[BinaryViewArray]) -> polars_avro::Result<(Vec<Cell>, usize, Option<u64>)> {
    let Decoded::Rows { arrays, bad, first_bad } = decoder.decode(chunks, &HashSet::new())? else {
        panic!("no id is missing");
    };
    let cells = arrays.iter().flat_map(|array| columns::cells(array.as_ref())).collect();
    Ok((cells, bad, first_bad.and_then(|error| error.position().row)))
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let framing = FRAMINGS[case.framing];
    let column = build(case);
    if framing == Framing::Confluent && column.dtype == "Binary" && !column.json.contains("fixed") {
        // Confluent's serializer writes bytes without their length.
        return Ok(());
    }
    let tolerant = decoder(&column.json, framing, true);
    prop_assert_eq!(columns::dtype(&tolerant.field("")), column.dtype);
    let bad: Vec<_> = (0..column.cells.len()).filter(|&row| column.cells[row].is_none()).collect();
    let expected: Vec<_> = column.cells.iter().map(|cell| cell.clone().unwrap_or(Cell::Null)).collect();
    let (cells, n_bad, first) = decode(&tolerant, &column.chunks)
        .map_err(|error| TestCaseError::fail(format!("{error:?}\n{}", column.json)))?;
    for (row, (cell, expected)) in cells.iter().zip(&expected).enumerate() {
        prop_assert_eq!(cell, expected, "row {} of {}", row, column.json);
    }
    prop_assert_eq!(cells.len(), expected.len());
    prop_assert_eq!((n_bad, first), (bad.len(), bad.first().map(|&row| row as u64)), "{}", column.json);
    let strict = decode(&decoder(&column.json, framing, false), &column.chunks);
    match (strict, bad.first()) {
        (Ok((cells, ..)), None) => prop_assert_eq!(cells, expected),
        (Err(error), Some(&row)) => prop_assert_eq!(error.position().row, Some(row as u64)),
        (strict, bad) => prop_assert!(false, "{:?}, but the first bad row is {:?}", strict.map(|_| ()), bad),
    }
    Ok(())
}

#[test]
fn random_datums_are_decoded_as_the_naive_decoder_decodes_them() {
    cases(500, 1000).run(&case(), |case| check(&case)).unwrap();
}

#[test]
fn ids_that_are_missing_are_asked_for_once() {
    let mut options = DatumOptions::default();
    (options.framing, options.reader_schema) = (Framing::Confluent, Some(parsed("\"long\"")));
    let decoder = DatumDecoder::new(options).unwrap();
    let row = |id: u8, value: u8| Some(vec![0, 0, 0, 0, id, value]);
    let chunks = [BinaryViewArray::from_slice([row(7, 2), None, row(9, 4)]), BinaryViewArray::from_slice([row(7, 6)])];
    let Decoded::Missing(missing) = decoder.decode(&chunks, &HashSet::new()).unwrap() else { panic!("all is known") };
    assert_eq!(missing, [7, 9].map(SchemaId::Number));
    decoder.add_schema(7, &parsed("\"int\"")).unwrap();
    let error = decoder.decode(&chunks, &HashSet::from([SchemaId::Number(9)])).unwrap_err();
    assert_eq!(error.to_string(), "row 2: schema id 9 is not known");
    decoder.add_schema(9, &parsed("\"long\"")).unwrap();
    let (cells, ..) = decode(&decoder, &chunks).unwrap();
    assert_eq!(cells, [Cell::Int64(1), Cell::Null, Cell::Int64(2), Cell::Int64(3)]);
}

#[test]
fn ids_of_another_column_select_the_schemas_of_bare_rows() {
    let mut options = DatumOptions::default();
    (options.framing, options.reader_schema) = (Framing::Confluent, Some(parsed("\"long\"")));
    let decoder = DatumDecoder::new(options).unwrap();
    let guid = SchemaId::Uuid(0x0102 << 112);
    let header = [&[1, 1, 2][..], &[0; 14]].concat();
    let rows = [Some(vec![2]), None, Some(vec![4]), Some(vec![0, 0, 0, 0, 9, 6]), Some(vec![8])];
    let chunks = [BinaryViewArray::from_slice(&rows[..3]), BinaryViewArray::from_slice(&rows[3..])];
    let headers = [Some(&header[..]), Some(&[0, 0, 0, 0, 9]), Some(&[0, 0, 0, 0, 9]), None, Some(&[9])];
    let ids = RowIds::from_headers(headers);
    let decode = |unknown| decoder.decode_with_ids(&chunks, &ids, &unknown);
    let Decoded::Missing(missing) = decode(HashSet::new()).unwrap() else { panic!("all is known") };
    assert_eq!(missing, [guid, SchemaId::Number(9)]);
    decoder.add_schema(9, &parsed("\"int\"")).unwrap();
    let error = decode(HashSet::from([guid])).unwrap_err();
    assert_eq!(error.to_string(), "row 0: schema id 01020000-0000-0000-0000-000000000000 is not known");
    decoder.add_schema(guid, &parsed("\"long\"")).unwrap();
    let error = decode(HashSet::new()).unwrap_err();
    assert!(error.to_string().starts_with("row 4: the schema id of the row is 1 bytes that begin with 09"), "{error}");
    let short = decoder.decode_with_ids(&chunks, &RowIds::default(), &HashSet::new()).unwrap_err();
    assert!(short.message().contains("`schema_id` has 0 rows"), "{short}");
}

#[test]
fn a_decoder_needs_a_schema_that_fits() {
    let error = DatumDecoder::new(DatumOptions::default()).err().unwrap();
    assert!(error.message().contains("a schema to read as"), "{error}");
    let mut options = DatumOptions::default();
    (options.schema, options.reader_schema) = (Some(parsed("\"string\"")), Some(parsed("\"int\"")));
    assert_eq!(DatumDecoder::new(options).err().unwrap().kind(), polars_avro::ErrorKind::Schema);
}

#[test]
fn framings_have_names() {
    for framing in FRAMINGS.into_iter().chain([Framing::Auto]) {
        assert_eq!(framing.name().parse::<Framing>().unwrap(), framing);
    }
    assert!("avro".parse::<Framing>().unwrap_err().message().contains("\"single_object\""));
}
