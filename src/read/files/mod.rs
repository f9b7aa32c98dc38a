//! Open files: the state shared by all tasks of one file, and the cache of resolved schemas and plans.

mod bad_block;
mod block_data;
mod entry;
mod input;
mod open_file;
mod open_options;
mod opener;
mod plan_cache;

pub use bad_block::BadBlock;
pub(crate) use bad_block::is_damage;
pub(crate) use block_data::BlockData;
pub(crate) use entry::FileEntry;
pub use input::FileInput;
pub(crate) use open_file::OpenFile;
pub use open_options::OpenOptions;
pub use opener::FileOpener;
pub(crate) use plan_cache::{PlanCache, ResolvedSchemas, Selection};
