//! A block whose records are looked at before anything is made of them.

use super::{LargeBlock, PART_BYTES};
use crate::Result;
use crate::binary::Fault;
use crate::plan::Plan;
use crate::read::fetch::Window;
use crate::read::files::OpenFile;

impl LargeBlock {
    /// Walks over all records, with memory for some of them.
    ///
    /// # Errors
    /// If they do not end where the block does, or if one has more bytes than a block that is decompressed may have. Unless
    /// `strict`, fewer bytes than that may be left after them.
    pub(crate) fn walk_over(mut self, file: &OpenFile, plan: &Plan, window: &mut Window, strict: bool) -> Result<()> {
        let (mut room, limit) = (PART_BYTES, file.limits.block_bytes as u64);
        while self.record < self.frame.rows && !plan.rows_are_empty() {
            let chunk = self.chunk(file, room, window)?;
            let left = self.frame.rows - self.record;
            let (n, stop, mut fault) = plan.skip_records(&chunk.bytes, chunk.start, left);
            let may_go_on = chunk.behind > 0 && fault.as_ref().is_none_or(Fault::is_short);
            if n == 0 && may_go_on {
                if ((chunk.bytes.len() - chunk.start) as u64) <= limit {
                    room = room.saturating_mul(2);
                    continue;
                }
                fault = Some(Fault::limit("block_bytes", &format!("the record has more than {limit} bytes")));
            } else if may_go_on {
                fault = None;
            }
            if let Some(fault) = fault {
                return Err(file.record_fault(fault, &self.frame, self.record + n, (&chunk.bytes, stop)));
            }
            self.advance(n, stop - chunk.start);
        }
        match self.stop.checked_sub(self.offset) {
            Some(0) => Ok(()),
            // What is left is reported by the task that decodes the rows.
            left => file
                .trailing_bytes(left.unwrap_or(0), &self.frame, strict || left.is_none_or(|left| left > limit))
                .map(drop),
        }
    }
}
