//! Compiles a resolution into columns.

use std::sync::{Arc, OnceLock};

use super::leaf::{bytes, duration, enumeration, number, scaled, value_text};
use super::{InvalidValues, Plan, Projection, Schemas, skip};
use crate::decode::{
    AnyColumn, Boolean, Entries, Extension, FixedList, ItemBudget, Json, JsonGraph, List, Map, Null, NullIfInvalid,
    ScaledNumber, SkipPrograms, Symbol, Text, TooDeep,
};
use crate::dtype::extension_metadata;
use crate::schema::{FieldAction, Kind, Logical, NodeId, Resolved, ResolvedId, Restored, Wire};
use crate::{Error, ErrorKind, Limits, Result};

pub(super) fn compile(schemas: &Schemas, projection: &Projection, limits: &Limits) -> Result<Plan> {
    let programs = Arc::new(skip::compile(&schemas.writer, limits)?);
    let mut compiler = Compiler::new(schemas, programs.clone(), limits);
    if let Some(extra) = &schemas.resolution.extra {
        return Err(extra.error());
    }
    let root = schemas.resolution.root;
    let record = match (&compiler.node(root).wire, compiler.reader_kind(root)) {
        (Wire::Record { .. }, Kind::Record(_)) => compiler.record(root, projection)?,
        _ => compiler.value_record(root, projection)?,
    };
    let skip_record = programs.of(schemas.writer.root()).into();
    let row_values = compiler.values.max(1);
    Ok(Plan {
        fields: record.fields().into(),
        record: Arc::new(record),
        skip_record,
        row_values,
        programs,
        filter: None,
        all_columns: None,
    })
}

/// Compiles the root as one column of any type: a record is a struct.
pub(super) fn compile_datum(schemas: &Schemas, projection: &Projection, limits: &Limits) -> Result<AnyColumn> {
    let programs = Arc::new(skip::compile(&schemas.writer, limits)?);
    Compiler::new(schemas, programs, limits).column(schemas.resolution.root, projection)
}

pub(super) struct Compiler<'s> {
    pub(super) schemas: &'s Schemas,
    pub(super) limits: &'s Limits,
    pub(super) programs: Arc<SkipPrograms>,
    /// Skip programs of the reader's schema, for types of the reader that are read as themselves.
    own_programs: OnceLock<Arc<SkipPrograms>>,
    json: OnceLock<Arc<JsonGraph>>,
    /// The reader's records that enclose the type being compiled, outermost first.
    pub(super) open: Vec<NodeId>,
    columns: usize,
    /// The number of columns that take memory for every value.
    values: usize,
    pub(super) depth: usize,
}

impl<'s> Compiler<'s> {
    pub(super) fn new(schemas: &'s Schemas, programs: Arc<SkipPrograms>, limits: &'s Limits) -> Self {
        let (own_programs, json) = (OnceLock::new(), OnceLock::new());
        Self { schemas, limits, programs, own_programs, json, open: Vec::new(), columns: 0, values: 0, depth: 0 }
    }

    pub(super) fn node(&self, id: ResolvedId) -> &'s Resolved {
        &self.schemas.resolution.nodes[id.0 as usize]
    }

    pub(super) fn reader_kind(&self, id: ResolvedId) -> &'s Kind {
        &self.schemas.reader.node(self.node(id).reader).kind
    }

    /// Compiles the column for one pair of types.
    pub(super) fn column(&mut self, id: ResolvedId, projection: &Projection) -> Result<AnyColumn> {
        self.columns += 1;
        if self.columns > self.limits.columns {
            return Err(Error::limit(
                "columns",
                format!("the schema becomes more than {} columns", self.limits.columns),
            ));
        }
        self.values += usize::from(!matches!(self.node(id).wire, Wire::Null | Wire::Record { .. }));
        if self.depth >= self.limits.type_depth() {
            return Err(skip::too_deep(self.limits.type_depth()));
        }
        self.depth += 1;
        let column = self.column_of(id, projection);
        self.depth -= 1;
        let extension = extension_metadata(&self.schemas.reader.node(self.node(id).reader).properties);
        Ok(match extension {
            Some(metadata) => Box::new(Extension::new(column?, metadata)).into(),
            None => column?,
        })
    }

    fn column_of(&mut self, id: ResolvedId, projection: &Projection) -> Result<AnyColumn> {
        let node = self.node(id);
        let of_reader = self.schemas.reader.node(node.reader);
        let logical = node.logical;
        let restored = Restored::of(&self.schemas.reader, of_reader);
        let restored = restored.as_ref();
        match &node.wire {
            Wire::Fixed(_) if logical == Some(Logical::Duration) => return Ok(Box::new(duration(projection)?).into()),
            Wire::Record { .. } if self.is_recursive(node.reader) => projection.check_is_all("a recursive value")?,
            Wire::Record { .. } if restored == Some(&Restored::ScaledNumber) => projection.check_is_all("a number")?,
            Wire::Record { .. } | Wire::Array(_) | Wire::Map(_) | Wire::Union(_) | Wire::IntoUnion { .. } => {}
            Wire::Null if !matches!(self.reader_kind(id), Kind::Null) => {}
            _ => projection.check_is_all(self.reader_kind(id).type_name())?,
        }
        if self.schemas.conversions.invalid_values == InvalidValues::Text
            && let Some(column) = value_text(&node.wire, logical, restored)
        {
            return Ok(column);
        }
        let column: AnyColumn = match &node.wire {
            Wire::Null if matches!(self.reader_kind(id), Kind::Null) => Null::default().into(),
            Wire::Null => self.nulls(node.reader, projection)?,
            Wire::Boolean => Boolean::default().into(),
            Wire::Int | Wire::Long | Wire::Float | Wire::Double => {
                number(&node.wire, self.reader_kind(id), logical, restored)
            }
            Wire::Scaled(scale) => scaled(*scale, logical, restored)?,
            Wire::Bytes | Wire::String => bytes(None, self.reader_kind(id), logical, restored),
            Wire::Fixed(size) => bytes(Some(*size), self.reader_kind(id), logical, restored),
            Wire::Enum(of_writer) => enumeration(self.reader_kind(id), of_writer, restored),
            Wire::Symbol(symbols) => Box::new(Text::new(Symbol::new(symbols))).into(),
            Wire::Array(item) => self.list(*item, restored, projection)?,
            Wire::Map(value) => Box::new(Map::new(self.column(*value, projection)?)).into(),
            Wire::Record { .. } if self.is_recursive(node.reader) => match self.schemas.conversions.recursion_depth {
                Some(_) => self.too_deep(id)?,
                None => Box::new(Text::new(self.json(id))).into(),
            },
            Wire::Record { fields, .. } if restored == Some(&Restored::ScaledNumber) => scaled_number(fields)?,
            Wire::Record { .. } => Box::new(self.record(id, projection)?).into(),
            Wire::Union(branches) => self.union(id, branches, projection)?,
            Wire::IntoUnion { branch, value } => self.union_of_one(id, *branch, *value, projection)?,
        };
        let may_be_invalid = restored.is_some() || logical.is_some();
        match &node.wire {
            Wire::Int | Wire::Long | Wire::Scaled(_) | Wire::Bytes | Wire::String | Wire::Fixed(_)
                if may_be_invalid && self.schemas.conversions.invalid_values == InvalidValues::Null =>
            {
                let programs = self.programs_of(id)?;
                let skips = programs.of(node.writer).into();
                Ok(Box::new(NullIfInvalid { column, skips, programs }).into())
            }
            _ => Ok(column),
        }
    }

    /// Returns true if a record is inside itself, deeper than it becomes structs.
    fn is_recursive(&self, reader: NodeId) -> bool {
        let times = self.open.iter().filter(|&&open| open == reader).count();
        times > self.schemas.conversions.recursion_depth.unwrap_or(0)
    }

    /// Compiles nulls for values that are skipped and counted.
    fn too_deep(&self, id: ResolvedId) -> Result<AnyColumn> {
        let programs = self.programs_of(id)?;
        let skips = programs.of(self.node(id).writer);
        Ok(Box::new(TooDeep::new(skips, programs.clone())).into())
    }

    /// Compiles lists, and the dtypes that a property restores from them.
    fn list(&mut self, item: ResolvedId, restored: Option<&Restored>, projection: &Projection) -> Result<AnyColumn> {
        if matches!(restored, Some(Restored::Map)) {
            projection.check_is_all("a map")?;
        }
        let before = self.values;
        let column = self.column(item, projection)?;
        Ok(match restored {
            Some(Restored::Array(width)) => {
                // A null of a fixed-size list takes the memory of all its items.
                self.values = self.values.saturating_add((self.values - before).saturating_mul(width - 1));
                Box::new(FixedList::new(column, *width)).into()
            }
            Some(Restored::Map) => {
                let list = List::new(column, self.item_budget(item, self.values - before));
                Box::new(Entries::new(list)).into()
            }
            _ => Box::new(List::new(column, self.item_budget(item, self.values - before))).into(),
        })
    }

    /// Returns the bound of a list's items: their bytes, or a limit if they take none. Items of a default are bounded
    /// by the default itself.
    fn item_budget(&self, item: ResolvedId, values: usize) -> ItemBudget {
        let item = self.node(item);
        if item.writer_is_reader || self.programs.of(item.writer).is_empty() {
            ItemBudget::empty(values, self.limits.zero_byte_items)
        } else {
            ItemBudget::BYTES
        }
    }

    fn json(&self, root: ResolvedId) -> Json {
        let graph = self.json.get_or_init(|| {
            let Schemas { reader, resolution, .. } = self.schemas;
            let (resolution, reader) = (resolution.clone(), reader.clone());
            Arc::new(JsonGraph { resolution, reader, programs: self.programs.clone() })
        });
        Json::new(graph.clone(), root)
    }

    /// Returns the node that reads a type of the reader as itself.
    pub(super) fn own(&self, reader: NodeId) -> ResolvedId {
        self.schemas.resolution.own(reader)
    }

    /// Returns the skip programs of the schema that wrote this type.
    pub(super) fn programs_of(&self, id: ResolvedId) -> Result<Arc<SkipPrograms>> {
        if !self.node(id).writer_is_reader {
            return Ok(self.programs.clone());
        }
        if let Some(programs) = self.own_programs.get() {
            return Ok(programs.clone());
        }
        let programs = Arc::new(skip::compile(&self.schemas.reader, self.limits)?);
        Ok(self.own_programs.get_or_init(|| programs).clone())
    }
}

/// Compiles a record of a scale and an unscaled number, which must have been written in this order.
fn scaled_number(fields: &[FieldAction]) -> Result<AnyColumn> {
    match fields {
        [FieldAction::Read { field: 0, .. }, FieldAction::Read { field: 1, .. }] => {
            Ok(Box::new(Text::new(ScaledNumber)).into())
        }
        _ => Err(Error::new(ErrorKind::Unsupported, "a number whose record lacks its scale or its value, or has more")),
    }
}
