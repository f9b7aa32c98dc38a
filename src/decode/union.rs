//! A union of several branches: a struct with one nullable field for each branch, of which at most one has a value.

use std::sync::Arc;

use polars_arrow::array::{Array, StructArray};
use polars_arrow::datatypes::ArrowDataType;

use super::skip::{Skip, SkipPrograms};
use super::validity::Validity;
use super::{AnyColumn, Column};
use crate::binary::{Fault, read_long};
use crate::schema::FailureMessage;

/// The action for one branch of the writer's union.
#[derive(Clone, Debug)]
pub(crate) enum BranchAction {
    /// A null.
    Null,
    /// A value of the reader's branch `child`, in wire form number `variant`.
    Value { child: usize, variant: usize },
    /// A value to skip.
    Skip(Box<[Skip]>),
    /// A value that the reader cannot read, for this reason.
    Refuse(FailureMessage),
}

/// Reads the index of a branch and looks it up.
#[inline]
pub(super) fn choose<'c>(
    actions: &'c [BranchAction],
    bytes: &[u8],
    pos: usize,
) -> Result<(&'c BranchAction, usize), Fault> {
    let (index, pos) = read_long(bytes, pos)?;
    match usize::try_from(index).ok().and_then(|index| actions.get(index)) {
        Some(action) => Ok((action, pos)),
        None => Err(Fault::index("union", index, actions.len())),
    }
}

/// A column of unions.
#[derive(Clone)]
pub(crate) struct Union {
    children: Vec<Child>,
    actions: Vec<BranchAction>,
    /// True if the writer wrote no union: there is no index on the wire, and every value has the first action.
    always: bool,
    programs: Arc<SkipPrograms>,
    len: usize,
    validity: Validity,
}

#[derive(Clone)]
struct Child {
    name: String,
    column: AnyColumn,
    /// The number of values in the column. The nulls up to the union's length are appended later.
    len: usize,
}

impl Union {
    /// Makes a column for a writer's union whose branches become `actions`.
    pub(crate) fn new(
        children: Vec<(String, AnyColumn)>,
        actions: Vec<BranchAction>,
        programs: Arc<SkipPrograms>,
    ) -> Self {
        let children = children.into_iter().map(|(name, column)| Child { name, column, len: 0 }).collect();
        Self { children, actions, always: false, programs, len: 0, validity: Validity::default() }
    }

    /// Makes a column for a writer's type that is not a union: every value has `action`, without an index before it.
    pub(crate) fn of_one(
        children: Vec<(String, AnyColumn)>,
        action: BranchAction,
        programs: Arc<SkipPrograms>,
    ) -> Self {
        Self { always: true, ..Self::new(children, vec![action], programs) }
    }
}

impl Child {
    fn catch_up(&mut self, len: usize) {
        self.column.push_nulls(len - self.len);
        self.len = len;
    }

    fn decode(&mut self, variant: usize, len: usize, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.catch_up(len);
        self.len += 1;
        self.column.decode_variant(variant, bytes, pos).map_err(|fault| fault.in_field(&self.name))
    }
}

impl Column for Union {
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let (action, pos) = if self.always { (&self.actions[0], pos) } else { choose(&self.actions, bytes, pos)? };
        let (child, variant) = match action {
            BranchAction::Null => {
                self.push_nulls(1);
                return Ok(pos);
            }
            BranchAction::Value { child, variant } => (*child, *variant),
            BranchAction::Skip(skips) => {
                let pos = self.programs.skip(skips, bytes, pos)?;
                self.len += 1;
                return Ok(pos);
            }
            BranchAction::Refuse(reason) => return Err(reason.fault()),
        };
        let pos = self.children[child].decode(variant, self.len, bytes, pos)?;
        self.len += 1;
        Ok(pos)
    }

    fn push_nulls(&mut self, n: usize) {
        self.validity.mark_nulls(self.len, n);
        self.len += n;
    }

    fn reserve(&mut self, _n: usize) {}

    fn dtype(&self) -> ArrowDataType {
        ArrowDataType::Struct(self.children.iter().map(|child| child.column.field(&child.name)).collect())
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let (dtype, len) = (self.dtype(), std::mem::take(&mut self.len));
        let finish = |child: &mut Child| {
            child.catch_up(len);
            child.len = 0;
            child.column.finish()
        };
        let children = self.children.iter_mut().map(finish).collect();
        StructArray::new(dtype, len, children, self.validity.finish(len)).boxed()
    }
}
