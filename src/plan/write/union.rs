//! Unions: selection of the branches for the values of a column.

use polars_arrow::datatypes::{ArrowDataType, Field};

use super::{Compiler, in_field};
use crate::encode::{AnyColumn, Branch, Null, Nullable, Required, Union};
use crate::plan::union::names;
use crate::schema::{Kind, NodeId};
use crate::{Error, Result};

impl Compiler<'_> {
    /// Returns the column that writes a field as a union.
    pub(super) fn union(&self, branches: &[NodeId], field: &Field) -> Result<AnyColumn> {
        let is_null = |id: NodeId| matches!(self.schema.node(id).kind, Kind::Null);
        let null = branches.iter().position(|&branch| is_null(branch));
        let values: Vec<_> = branches.iter().copied().enumerate().filter(|&(_, branch)| !is_null(branch)).collect();
        if *field.dtype() == ArrowDataType::Null {
            let Some(null) = null else { return Ok(Required::new(Null.into(), None).into()) };
            let branch = one_byte(null)?;
            return Ok(Nullable::new(Box::new(AnyColumn::from(Null)), branch, branch).into());
        }
        let mut refused = None;
        if let (ArrowDataType::Struct(fields), [_, _, ..]) = (field.dtype(), &values[..])
            && !fields.is_empty()
        {
            match self.union_of_struct(&values, null, fields) {
                Ok(Some(column)) => return Ok(column),
                Ok(None) => {}
                // The struct may also be a record with fields of these names.
                Err(error) => refused = Some(error),
            }
        }
        let (index, column) = self.branch(&values, field).map_err(|error| refused.unwrap_or(error))?;
        let value = one_byte(index)?;
        Ok(match null {
            Some(null) => nullable(column, one_byte(null)?, value),
            None => Required::new(column, Some(value)).into(),
        })
    }

    /// Returns the first branch that takes every value of the dtype, or else the first that takes them after a check.
    fn branch(&self, values: &[(usize, NodeId)], field: &Field) -> Result<(usize, AnyColumn)> {
        let mut checked = None;
        let mut refused = None;
        for &(index, id) in values {
            let checks = self.checks.get();
            match self.value(id, field) {
                Ok(column) if self.checks.get() > checks => checked = checked.or(Some((index, column))),
                Ok(column) => return Ok((index, column)),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        let none = || Error::schema("the Avro union has no branch but null");
        checked.ok_or_else(|| refused.unwrap_or_else(none))
    }

    /// Returns a union of several branches from a struct with one field for each branch, as reading makes them; `None`
    /// if the fields have other names, and may be those of a record.
    fn union_of_struct(
        &self,
        values: &[(usize, NodeId)],
        null: Option<usize>,
        fields: &[Field],
    ) -> Result<Option<AnyColumn>> {
        let is_record = |id: NodeId| matches!(self.schema.node(id).kind, Kind::Record(_));
        let names = names(self.schema, values);
        let mut children = Vec::with_capacity(fields.len());
        for field in fields {
            let Some(at) = names.iter().position(|name| field.name == name.as_str()) else {
                // The fields are those of a record, if there is one.
                let has_record = values.iter().any(|&(_, id)| is_record(id));
                return if has_record { Ok(None) } else { Err(no_branch(&field.name, &names)) };
            };
            let (branch, id) = values[at];
            let column = self.value(id, field).map_err(|error| in_field(error, &field.name))?;
            children.push((field.name.to_string(), branch, column));
        }
        Ok(Some(Box::new(Union::new(children, null)).into()))
    }
}

#[cold]
fn no_branch(field: &str, names: &[String]) -> Error {
    let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Error::schema(format!(
        "the Avro union has no branch `{field}`: the fields of the struct must have the names of branches: {names}"
    ))
}

fn one_byte(index: usize) -> Result<Branch> {
    Branch::new(index)
        .ok_or_else(|| Error::schema(format!("branch {index} of an Avro union: more than 64 are not written")))
}

/// Returns a nullable column. Frequent kinds handle their nulls in the same step.
fn nullable(column: AnyColumn, null: Branch, value: Branch) -> AnyColumn {
    match column {
        AnyColumn::Boolean(column) => Nullable::new(column, null, value).into(),
        AnyColumn::Int32(column) => Nullable::new(column, null, value).into(),
        AnyColumn::Int64(column) => Nullable::new(column, null, value).into(),
        AnyColumn::UInt32(column) => Nullable::new(column, null, value).into(),
        AnyColumn::Float(column) => Nullable::new(column, null, value).into(),
        AnyColumn::Double(column) => Nullable::new(column, null, value).into(),
        AnyColumn::String(column) => Nullable::new(column, null, value).into(),
        AnyColumn::Bytes(column) => Nullable::new(column, null, value).into(),
        AnyColumn::Enum8(column) => Nullable::new(column, null, value).into(),
        AnyColumn::Categorical32(column) => Nullable::new(column, null, value).into(),
        AnyColumn::Decimal(column) => Nullable::new(column, null, value).into(),
        AnyColumn::List(column) => Nullable::new(column, null, value).into(),
        AnyColumn::Map(column) => Nullable::new(column, null, value).into(),
        AnyColumn::Record(column) => Nullable::new(column, null, value).into(),
        column => Nullable::new(Box::new(column), null, value).into(),
    }
}
