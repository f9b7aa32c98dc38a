//! What one thread fetches before its turn.

use super::RecordPath;
use crate::plan::Plan;
use crate::read::fetch::{FetchedRange, RangeRequest};

/// A range of a file, or of a large block's data.
pub(crate) struct PartRequest {
    pub(crate) request: RangeRequest,
    /// The records to look for, in a large block.
    pub(crate) records: Option<Records>,
}

/// What is known of the records of a large block.
pub(crate) struct Records {
    /// Number of the block.
    pub(crate) block: u64,
    pub(crate) plan: Plan,
    /// Likely bytes of one.
    pub(crate) bytes: usize,
    /// Whether one begins where the range does.
    pub(crate) begin_here: bool,
}

/// A range that was fetched.
pub(crate) struct Part {
    pub(crate) fetched: FetchedRange,
    /// The large block that it is of.
    pub(crate) block: Option<u64>,
    pub(crate) path: Option<RecordPath>,
}

impl PartRequest {
    /// Fetches the range, and looks for records in it.
    pub(crate) fn fetch(self) -> Part {
        let Self { request, records } = self;
        let fetched = request.fetch();
        let path = records.as_ref().and_then(|records| RecordPath::find(records, &fetched));
        Part { fetched, block: records.map(|records| records.block), path }
    }
}
