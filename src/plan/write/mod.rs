//! Compiles an Avro schema and the dtypes of a frame into columns for writing.

mod leaf;
mod union;

use std::cell::Cell;

use polars_arrow::datatypes::{ArrowDataType, Field};

use crate::dtype::{map_entry, polars_name, storage};
use crate::encode::{AnyColumn, DefaultValue, FixedList, List, Map, Null, Record, Required};
use crate::schema::{self, Kind, NodeId, Restored, Schema, column_name};
use crate::{Error, Result};

/// The frozen plan for writing one file.
pub(crate) struct WritePlan {
    /// Columns without values, which are bound to the arrays of each batch.
    pub(crate) record: Record,
}

impl WritePlan {
    /// Compiles the plan that writes these columns by a schema. Columns match fields by name; fields without a column
    /// get their default if `use_defaults` is set.
    ///
    /// # Errors
    /// If a field has neither column nor default, if a column has no field, or if a dtype does not fit its type.
    pub(crate) fn compile(schema: &Schema, fields: &[Field], use_defaults: bool) -> Result<Self> {
        let compiler = Compiler { schema, use_defaults, checks: Cell::new(0) };
        let record = match (&schema.node(schema.root()).kind, fields) {
            (Kind::Record(record), columns) => compiler.record(record, columns)?,
            // As in reading, a file whose root is not a record has one column.
            (_, [field]) => {
                let column = compiler.column(schema.root(), field).map_err(|error| in_field(error, &field.name))?;
                Record::new(vec![(field.name.to_string(), Some(0), column)])
            }
            (kind, columns) => {
                let message = format!("an Avro {} is written from one column, got {}", kind.type_name(), columns.len());
                return Err(Error::schema(message));
            }
        };
        Ok(Self { record })
    }

    /// Rejects columns of dtype Null whose types have no null, if there are rows.
    ///
    /// # Errors
    /// If there is such a column: the same error as for a dtype that does not fit its type.
    pub(crate) fn check_nulls(schema: &Schema, columns: &[Field]) -> Result<()> {
        let Kind::Record(record) = &schema.node(schema.root()).kind else { return Ok(()) };
        let compiler = Compiler { schema, use_defaults: true, checks: Cell::new(0) };
        let is_null = |id: NodeId| matches!(schema.node(id).kind, Kind::Null);
        for field in &record.fields {
            let takes_null = match &schema.node(field.schema).kind {
                Kind::Union(branches) => branches.iter().any(|&branch| is_null(branch)),
                _ => is_null(field.schema),
            };
            let name = column_name(field);
            let column = columns.iter().find(|column| column.name == name && *column.dtype() == ArrowDataType::Null);
            if let Some(column) = column.filter(|_| !takes_null) {
                return Err(in_field(compiler.mismatch(field.schema, column), name));
            }
        }
        Ok(())
    }

    /// Returns the column that writes a field's values as datums of a schema, one per row. Nulls are not written.
    ///
    /// # Errors
    /// If the dtype does not fit the schema.
    pub(crate) fn compile_datum(schema: &Schema, field: &Field) -> Result<AnyColumn> {
        let (compiler, root) = (Compiler { schema, use_defaults: true, checks: Cell::new(0) }, schema.root());
        match &schema.node(root).kind {
            Kind::Union(_) | Kind::Null => compiler.column(root, field),
            _ => compiler.value(root, field),
        }
    }
}

struct Compiler<'s> {
    schema: &'s Schema,
    use_defaults: bool,
    /// The number of columns compiled so far that check each value, as not every value of the dtype fits the type.
    checks: Cell<usize>,
}

impl Compiler<'_> {
    /// Returns the column that writes a field as a type, nulls included.
    fn column(&self, id: NodeId, field: &Field) -> Result<AnyColumn> {
        let field = &*storage(field);
        match &self.schema.node(id).kind {
            Kind::Union(branches) => self.union(branches, field),
            Kind::Null if *field.dtype() == ArrowDataType::Null => Ok(Null.into()),
            _ => Ok(Required::new(self.value(id, field)?, None).into()),
        }
    }

    /// Returns the column that writes the values of a field that are not null.
    fn value(&self, id: NodeId, field: &Field) -> Result<AnyColumn> {
        let field = &*storage(field);
        if *field.dtype() == ArrowDataType::Null {
            // There are only nulls, so every type fits.
            return Ok(Null.into());
        }
        let node = self.schema.node(id);
        if Restored::of(self.schema, node).is_some_and(|restored| !restored.takes(field.dtype())) {
            return Err(self.mismatch(id, field));
        }
        let column = match (&node.kind, field.dtype()) {
            (Kind::Array(items), ArrowDataType::LargeList(item)) => {
                Box::new(List::new(self.column(*items, item)?)).into()
            }
            (Kind::Array(items), ArrowDataType::FixedSizeList(item, width)) => {
                Box::new(FixedList::new(self.column(*items, item)?, *width)).into()
            }
            (Kind::Array(items), ArrowDataType::Map(entries, _)) if Restored::of(self.schema, node).is_some() => {
                Box::new(List::new(self.column(*items, entries)?)).into()
            }
            (Kind::Map(values), ArrowDataType::Map(entries, _)) => match map_entry(entries) {
                Some((key, value)) if *key.dtype() == ArrowDataType::Utf8View => {
                    Box::new(Map::new(self.column(*values, value)?)).into()
                }
                _ => return Err(self.mismatch(id, field)),
            },
            (Kind::Record(record), ArrowDataType::Struct(fields)) => Box::new(self.record(record, fields)?).into(),
            _ => {
                let column = leaf::column(self.schema, node, field).ok_or_else(|| self.mismatch(id, field))?;
                let is_checked = match &column {
                    AnyColumn::Converted(_) => true,
                    AnyColumn::Decimal(decimal) => decimal.is_checked(),
                    AnyColumn::UInt64(decimal) => decimal.is_checked(),
                    AnyColumn::UInt128(decimal) => decimal.is_checked(),
                    _ => false,
                };
                self.checks.set(self.checks.get() + usize::from(is_checked));
                return Ok(column);
            }
        };
        Ok(column)
    }

    /// Returns the columns of a record's fields, in the order of the schema.
    fn record(&self, record: &schema::Record, columns: &[Field]) -> Result<Record> {
        let mut used = vec![false; columns.len()];
        let mut fields = Vec::with_capacity(record.fields.len());
        for field in &record.fields {
            let name = column_name(field);
            let index = columns.iter().position(|column| column.name == name);
            let column = match index {
                Some(index) => {
                    used[index] = true;
                    self.column(field.schema, &columns[index])
                }
                None => self.default(record, field, columns),
            };
            fields.push((name.to_owned(), index, column.map_err(|error| in_field(error, name))?));
        }
        match columns.iter().zip(used).find(|(_, used)| !used) {
            Some((column, _)) => Err(Error::schema(format!(
                "the Avro record {} has no field for the column `{}`: drop the column or add it to the Avro schema",
                record.name, column.name
            ))),
            None => Ok(Record::new(fields)),
        }
    }

    /// Returns a column of the default, for a field that has none of these columns.
    fn default(&self, record: &schema::Record, field: &schema::Field, columns: &[Field]) -> Result<AnyColumn> {
        let Some(default) = field.default.as_ref().filter(|_| self.use_defaults) else {
            let default = if self.use_defaults { " and no default" } else { "" };
            let name = column_name(field).to_lowercase();
            let other_case = match columns.iter().find(|column| column.name.to_lowercase() == name) {
                Some(column) => format!("; the column `{}` differs in case", column.name),
                None => String::new(),
            };
            let record = &record.name;
            let message =
                format!("the Avro record {record} wants this field, which has no column{default}{other_case}");
            return Err(Error::schema(message));
        };
        Ok(DefaultValue::new(schema::encode_one_default(self.schema, field.schema, default)?).into())
    }

    #[cold]
    fn mismatch(&self, id: NodeId, field: &Field) -> Error {
        let node = self.schema.node(id);
        let logical = node.logical.map(|logical| format!(" ({logical})")).unwrap_or_default();
        let cast = match leaf::fitting(self.schema, node) {
            _ if matches!(node.kind, Kind::Record(_)) => {
                "pass a struct of its fields, such as `pl.struct(...)` makes, or change the Avro schema".to_owned()
            }
            Some(dtype) => {
                let verb = if leaf::is_cast(field.dtype(), node) { "cast" } else { "convert" };
                format!("{verb} the column to {dtype}, or change the Avro schema")
            }
            None => "no dtype is written as it yet: change the Avro schema".to_owned(),
        };
        let (dtype, kind) = (polars_name(field), node.kind.type_name());
        let message = format!("the dtype {dtype} cannot be written as the Avro type {kind}{logical}: {cast}");
        Error::schema(message)
    }
}

fn in_field(error: Error, name: &str) -> Error {
    error.at(|position| {
        position.path = Some(match position.path.take() {
            Some(path) => format!("{name}.{path}"),
            None => name.to_owned(),
        });
    })
}
