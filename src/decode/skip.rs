//! Skipping of values. Their structure is checked (lengths, counts, union indices, varints), but not their content: a
//! skipped value may be an int out of range or text that is not UTF-8.

use super::list::{ItemBudget, read_item_block, remaining};
use crate::binary::{Fault, read_length, read_long, skip_long};
use crate::schema::NodeId;

/// A step that skips one value, or several adjacent ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// A number of varints, then of bytes, then of blobs. A blob is a length and as many bytes.
    Flat { varints: usize, bytes: usize, blobs: usize },
    /// Blocks of items.
    Array(Box<[Skip]>),
    /// Blocks of entries, each a blob and a value.
    Map(Box<[Skip]>),
    /// An index, and a value of the branch with that index.
    Union(Box<[Box<[Skip]>]>),
    /// A program by its number: for a recursive record, or for a long one with many uses.
    Named(usize),
}

/// Skip programs for every type of a writer's schema, and the limits of the data.
#[derive(Clone, Debug)]
pub(crate) struct SkipPrograms {
    /// The program of each type, by the type's number.
    pub(crate) types: Vec<Box<[Skip]>>,
    /// The programs that `Skip::Named` refers to.
    pub(crate) named: Vec<Box<[Skip]>>,
    pub(crate) data_depth: usize,
    pub(crate) zero_byte_items: usize,
}

impl SkipPrograms {
    /// Returns the program that skips this type of the writer; it is empty for a type without bytes.
    pub(crate) fn of(&self, writer: NodeId) -> &[Skip] {
        &self.types[writer.index()]
    }

    /// Returns the position after the values that `skips` skips.
    #[inline(always)]
    pub(crate) fn skip(&self, skips: &[Skip], bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        self.run(skips, bytes, pos, 0)
    }

    #[inline(always)]
    fn run(&self, skips: &[Skip], bytes: &[u8], mut pos: usize, depth: usize) -> Result<usize, Fault> {
        for skip in skips {
            pos = match *skip {
                Skip::Flat { varints, bytes: plain, blobs } => {
                    let mut pos = pos;
                    for _ in 0..varints {
                        pos = skip_long(bytes, pos)?;
                    }
                    // A position after the end of the data is detected at the next length, or at the end of the row.
                    pos = pos.saturating_add(plain);
                    for _ in 0..blobs {
                        let (len, behind) = read_length(bytes, pos)?;
                        pos = behind + len;
                    }
                    pos
                }
                ref nested => self.run_nested(nested, bytes, pos, depth)?,
            };
        }
        Ok(pos)
    }

    #[inline(never)]
    fn run_nested(&self, skip: &Skip, bytes: &[u8], pos: usize, depth: usize) -> Result<usize, Fault> {
        match skip {
            Skip::Array(item) => self.run_items(item, false, bytes, pos, depth),
            Skip::Map(value) => self.run_items(value, true, bytes, pos, depth),
            Skip::Union(branches) => {
                let (index, pos) = read_long(bytes, pos)?;
                match usize::try_from(index).ok().and_then(|index| branches.get(index)) {
                    Some(branch) => self.run(branch, bytes, pos, depth),
                    None => Err(Fault::index("union", index, branches.len())),
                }
            }
            Skip::Named(_) if depth >= self.data_depth => Err(too_deep()),
            Skip::Named(program) => self.run(&self.named[*program], bytes, pos, depth + 1),
            Skip::Flat { .. } => self.run(std::slice::from_ref(skip), bytes, pos, depth),
        }
    }

    fn run_items(
        &self,
        item: &[Skip],
        keyed: bool,
        bytes: &[u8],
        mut pos: usize,
        depth: usize,
    ) -> Result<usize, Fault> {
        let empty = item.is_empty() && !keyed;
        let mut budget = if empty { ItemBudget::empty(1, self.zero_byte_items) } else { ItemBudget::BYTES };
        loop {
            let (count, end, start) = read_item_block(bytes, pos)?;
            pos = start;
            budget.check(count, remaining(bytes, pos))?;
            match end {
                Some(end) => pos = end,
                None if empty => {}
                None => {
                    for _ in 0..count {
                        if keyed {
                            let (len, behind) = read_length(bytes, pos)?;
                            pos = behind + len;
                        }
                        pos = self.run(item, bytes, pos, depth)?;
                    }
                }
            }
            if count == 0 {
                return Ok(pos);
            }
        }
    }
}

/// Returns the error for data of a recursive type that nests too deep.
#[cold]
pub(super) fn too_deep() -> Fault {
    Fault::limit("data_depth", "a value of a recursive type nests too deep, unions and arrays included")
}
