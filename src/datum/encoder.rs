//! The encoder: from a column to a Binary column of datums.

use std::ops::Range;
use std::sync::Arc;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};
use rayon::prelude::*;

use super::framing::glue;
use super::rows::Rows;
use super::writers::{fingerprint, is_bytes};
use super::zlib::Deflater;
use super::{Framing, SchemaId};
use crate::binary::{Fault, SLACK, put_slice};
use crate::dtype::{AvroNames, same_dtype, storage, to_avro};
use crate::encode::{AnyColumn, Column};
use crate::plan::WritePlan;
use crate::{Error, Result, Schema, executor};

/// The number of rows of one encoding task.
const TASK_ROWS: usize = 1 << 16;

/// The number of rows that are measured and encoded together.
const GRANULE: usize = 256;

/// Encodes any number of columns in the same way.
///
/// ```
/// use std::sync::Arc;
///
/// use polars_avro::arrow::{Array, ArrowDataType, Field, PrimitiveArray};
/// use polars_avro::{DatumEncoder, Framing, Schema};
///
/// let schema: Schema = r#""long""#.parse()?;
/// let encoder = DatumEncoder::new(Arc::new(schema), Framing::Datum, None)?;
/// let field = Field::new("id".into(), ArrowDataType::Int64, true);
/// let datums = encoder.encode(&field, &[PrimitiveArray::from_slice([1_i64, 2]).boxed()])?;
/// assert_eq!(datums[0].len(), 2);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone)]
pub struct DatumEncoder {
    schema: Arc<Schema>,
    header: Vec<u8>,
    /// True if the values are bytes that are written after the header without a length.
    is_plain: bool,
    /// True if each datum is compressed with zlib.
    is_compressed: bool,
    framing: Framing,
}

/// Returns the Avro schema that the values of a column are written with if none is given, as JSON: a record for a
/// struct.
///
/// ```
/// use polars_avro::arrow::{ArrowDataType, Field};
/// use polars_avro::datum_schema_of;
///
/// let field = Field::new("id".into(), ArrowDataType::Int64, true);
/// assert_eq!(datum_schema_of(&field, None, None)?, r#""long""#);
/// # Ok::<(), polars_avro::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if a dtype has no Avro type;
/// [`ErrorKind::Argument`](crate::ErrorKind::Argument) if the name is invalid.
pub fn datum_schema_of(field: &Field, name: Option<&str>, namespace: Option<&str>) -> Result<String> {
    let names = AvroNames { name: name.map(Into::into), namespace: namespace.map(Into::into), doc: None };
    if let ArrowDataType::Struct(fields) = field.dtype() {
        return Ok(to_avro(fields, &vec![false; fields.len()], &names)?.to_string());
    }
    let record = to_avro(std::slice::from_ref(field), &[false], &names)?;
    // A column is written as a union with null. Datums have the type of the other branch.
    let written = &record["fields"][0]["type"];
    Ok(written.as_array().and_then(|branches| branches.last()).unwrap_or(written).to_string())
}

impl DatumEncoder {
    /// Prepares the state that all columns share. `id` is the registry id of the schema.
    ///
    /// # Errors
    /// If the framing does not take an id, or requires one.
    pub fn new(schema: Arc<Schema>, framing: Framing, id: Option<SchemaId>) -> Result<Self> {
        let header = framing.header(fingerprint(&schema), id)?;
        let is_plain = framing == Framing::Confluent && is_bytes(&schema);
        Ok(Self { schema, header, is_plain, is_compressed: false, framing })
    }

    /// Compresses each datum with zlib.
    ///
    /// # Errors
    /// If the framing is not [`Framing::Glue`]: the headers of others do not say that a datum is compressed.
    pub fn with_compression(mut self) -> Result<Self> {
        if self.framing != Framing::Glue {
            let framing = self.framing.name();
            return Err(Error::argument(format!("`compression` needs `framing=\"glue\"`, got `framing={framing:?}`")));
        }
        glue::compress(&mut self.header);
        self.is_compressed = true;
        Ok(self)
    }

    /// Encodes a column, given in chunks; nulls stay null.
    ///
    /// # Errors
    /// If its dtype does not fit the schema, or if a value does not: the position has its row and field.
    pub fn encode(&self, field: &Field, chunks: &[Box<dyn Array>]) -> Result<Vec<Box<dyn Array>>> {
        if *field.dtype() == ArrowDataType::Null {
            return Ok(chunks.iter().map(|chunk| Rows::nulls(chunk.len())).collect());
        }
        let plan = WritePlan::compile_datum(&self.schema, field)?;
        let stored = |dtype: &ArrowDataType| storage(&Field::new("".into(), dtype.clone(), true)).into_owned();
        let fits = |chunk: &dyn Array| same_dtype(&stored(field.dtype()), &stored(chunk.dtype()));
        if let Some(chunk) = chunks.iter().find(|chunk| !fits(chunk.as_ref())) {
            return Err(Error::argument(format!("an array of {:?} is not of the dtype of its field", chunk.dtype())));
        }
        let (mut tasks, mut first) = (Vec::new(), 0);
        for chunk in chunks {
            let n = chunk.len().div_ceil(TASK_ROWS);
            tasks.extend(
                (0..n).map(|task| (first, chunk.as_ref(), chunk.len() * task / n..chunk.len() * (task + 1) / n)),
            );
            first += chunk.len();
        }
        let run = |(first, chunk, rows): (usize, &dyn Array, Range<usize>)| {
            let array = chunk.sliced(rows.start, rows.len());
            self.encode_rows(&plan, array.as_ref()).map_err(|(row, fault)| {
                let row = (first + rows.start + row) as u64;
                fault.into_error().at(|position| position.row = Some(row))
            })
        };
        let encoded: Vec<Result<_>> = if tasks.len() > 1 && executor::threads() > 1 {
            executor::pool()?.install(|| tasks.into_par_iter().map(run).collect())
        } else {
            tasks.into_iter().map(run).collect()
        };
        encoded.into_iter().collect()
    }

    /// Encodes an array; a fault comes with its row.
    fn encode_rows(&self, plan: &AnyColumn, array: &dyn Array) -> std::result::Result<Box<dyn Array>, (usize, Fault)> {
        let column = plan.bind(array).map_err(|fault| first_unbound(plan, array).unwrap_or((0, fault)))?;
        let (mut rows, mut scratch) = (Rows::new(array.len()), Vec::new());
        let mut deflater = self.is_compressed.then(Deflater::default);
        for start in (0..array.len()).step_by(GRANULE) {
            let granule = start..(start + GRANULE).min(array.len());
            let room = column.bound(granule.clone()).saturating_add(self.header.len() + SLACK);
            if scratch.len() < room {
                scratch.resize(room, 0);
                put_slice(&mut scratch, 0, &self.header);
            }
            for row in granule {
                if array.is_null(row) {
                    rows.push_null();
                    continue;
                }
                let end = column.encode(row, &mut scratch, self.header.len()).map_err(|fault| (row, fault))?;
                if self.is_plain {
                    let datum = self.header.len() + length_bytes(&scratch[self.header.len()..]);
                    rows.push(&self.header, &scratch[datum..end]).map_err(|fault| (row, fault))?;
                } else if let Some(deflater) = &mut deflater {
                    let datum = deflater.deflate(&scratch[self.header.len()..end]).map_err(|fault| (row, fault))?;
                    rows.push(&self.header, datum).map_err(|fault| (row, fault))?;
                } else {
                    rows.push(&[], &scratch[..end]).map_err(|fault| (row, fault))?;
                }
            }
        }
        Ok(rows.finish())
    }
}

/// Returns the size of the length prefix of a bytes datum.
fn length_bytes(datum: &[u8]) -> usize {
    datum.iter().take_while(|&&byte| byte >= 0x80).count() + 1
}

/// Finds the first row that a column rejects, by bisection: some columns check all values at once when they are bound.
#[cold]
fn first_unbound(plan: &AnyColumn, array: &dyn Array) -> Option<(usize, Fault)> {
    let bind = |rows: usize| plan.bind(array.sliced(0, rows).as_ref()).err();
    // Binding the first `good` rows succeeds, and binding the first `bad` rows fails.
    let (mut good, mut bad) = (0, array.len());
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        if bind(middle).is_some() { bad = middle } else { good = middle }
    }
    bind(bad).map(|fault| (bad.saturating_sub(1), fault))
}

impl std::fmt::Debug for DatumEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatumEncoder").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use polars_arrow::array::{BinaryViewArray, PrimitiveArray};

    use super::*;
    use crate::{ErrorKind, Limits};

    fn encoder(json: &str, framing: Framing, id: Option<u64>) -> DatumEncoder {
        let id = id.map(SchemaId::Number);
        DatumEncoder::new(Arc::new(Schema::parse(json, &Limits::default()).unwrap()), framing, id).unwrap()
    }

    fn field(dtype: ArrowDataType) -> Field {
        Field::new("v".into(), dtype, true)
    }

    fn rows(arrays: &[Box<dyn Array>]) -> Vec<Option<Vec<u8>>> {
        let binary = arrays.iter().map(|array| array.as_any().downcast_ref::<BinaryViewArray>().unwrap());
        binary.flat_map(|array| array.iter().map(|row| row.map(<[u8]>::to_vec)).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn values_get_headers_and_nulls_stay_null() {
        let chunks: Vec<_> = [vec![Some(1_i64), None], vec![Some(-1)]]
            .into_iter()
            .map(|chunk| PrimitiveArray::<i64>::from(chunk).boxed())
            .collect();
        let confluent = encoder("\"long\"", Framing::Confluent, Some(7));
        let arrays = confluent.encode(&field(ArrowDataType::Int64), &chunks).unwrap();
        assert_eq!(rows(&arrays), [Some(vec![0, 0, 0, 0, 7, 2]), None, Some(vec![0, 0, 0, 0, 7, 1])]);
    }

    #[test]
    fn glue_datums_are_compressed_one_by_one() {
        let chunks = [PrimitiveArray::<i64>::from(vec![Some(1), None, Some(-1)]).boxed()];
        let id = Some(SchemaId::Uuid(7));
        let schema = Arc::new("\"long\"".parse::<Schema>().unwrap());
        let glue = DatumEncoder::new(schema.clone(), Framing::Glue, id).unwrap();
        let plain = rows(&glue.encode(&field(ArrowDataType::Int64), &chunks).unwrap());
        let packed = rows(&glue.with_compression().unwrap().encode(&field(ArrowDataType::Int64), &chunks).unwrap());
        let front = [&[3, 0][..], &7_u128.to_be_bytes()].concat();
        assert_eq!(plain, [Some([&front[..], &[2]].concat()), None, Some([&front[..], &[1]].concat())]);
        let packed = packed[0].as_ref().unwrap();
        assert_eq!((packed[..2].to_vec(), &packed[2..18]), (vec![3, 5], &front[2..]));
        assert_eq!(super::super::zlib::Inflater::default().inflate(&packed[18..], 10).unwrap().row(), [2]);
        let confluent = DatumEncoder::new(schema, Framing::Confluent, Some(7.into())).unwrap();
        assert!(confluent.with_compression().unwrap_err().message().contains("needs `framing=\"glue\"`"));
    }

    #[test]
    fn a_value_that_does_not_fit_names_its_row() {
        let mut values = vec![Some(1_i64); 300];
        values[70] = None;
        values[271] = Some(1 << 40);
        let chunks =
            [PrimitiveArray::<i64>::from(vec![Some(0); 10]).boxed(), PrimitiveArray::<i64>::from(values).boxed()];
        let error = encoder("\"int\"", Framing::Datum, None).encode(&field(ArrowDataType::Int64), &chunks).unwrap_err();
        assert_eq!(error.position().row, Some(281), "{error}");
    }

    #[test]
    fn a_dtype_that_does_not_fit_is_refused() {
        let encoder = encoder("\"string\"", Framing::Datum, None);
        assert_eq!(encoder.encode(&field(ArrowDataType::Int64), &[]).unwrap_err().kind(), ErrorKind::Schema);
    }

    #[test]
    fn the_schema_of_a_column_is_that_of_its_values() {
        let schema = |dtype| datum_schema_of(&field(dtype), Some("Event"), Some("shop")).unwrap();
        assert_eq!(schema(ArrowDataType::Int32), "\"int\"");
        assert_eq!(schema(ArrowDataType::Null), "\"null\"");
        let record = schema(ArrowDataType::Struct(vec![Field::new("a".into(), ArrowDataType::Boolean, true)]));
        let written =
            r#"{"type":"record","name":"Event","namespace":"shop","fields":[{"name":"a","type":["null","boolean"]"#;
        assert!(record.starts_with(written), "{record}");
    }
}
