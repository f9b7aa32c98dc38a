//! A value of a recursive type, as JSON text: no dtype has unbounded nesting.
//!
//! Plain JSON: the value of a union has no wrapper object with the branch's name, and bytes and fixed are strings of
//! the code points 0 to 255. A float that is not finite is one of the strings `NaN`, `Infinity` and `-Infinity`.
//! Logical types are ignored.

mod syntax;
mod writer;

use std::sync::Arc;

use self::writer::Writer;
use super::list::ItemBudget;
use super::skip::SkipPrograms;
use super::text::TextFormat;
use crate::binary::Fault;
use crate::schema::{Resolution, ResolvedId, Schema};

/// The type at one node of a resolution, as JSON text.
#[derive(Clone)]
pub(crate) struct Json {
    graph: Arc<JsonGraph>,
    root: ResolvedId,
    /// The budget of array items without bytes in a batch.
    empty_items: ItemBudget,
}

impl Json {
    pub(crate) fn new(graph: Arc<JsonGraph>, root: ResolvedId) -> Self {
        let empty_items = ItemBudget::empty(1, graph.programs.zero_byte_items);
        Self { graph, root, empty_items }
    }
}

/// The data shared by all JSON columns of a plan.
pub(crate) struct JsonGraph {
    pub(crate) resolution: Arc<Resolution>,
    pub(crate) reader: Arc<Schema>,
    pub(crate) programs: Arc<SkipPrograms>,
}

impl TextFormat for Json {
    fn write(&mut self, bytes: &[u8], pos: usize, out: &mut String) -> Result<usize, Fault> {
        let mut writer = Writer { graph: &self.graph, bytes, empty_items: &mut self.empty_items };
        writer.write(self.root, pos, 0, out)
    }

    fn end_batch(&mut self) {
        self.empty_items.reset();
    }
}
