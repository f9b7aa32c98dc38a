//! Opens files; resolved schemas and plans are cached.

use std::fmt;
use std::sync::Arc;

use polars_arrow::datatypes::Field;

use super::{OpenOptions, PlanCache, Selection};
use crate::{Error, Result};

/// Opens any number of files with the same options. Resolved schemas and plans are cached and shared by all of them. Cheap
/// to clone.
///
/// ```
/// use polars_avro::{FileOpener, OpenOptions};
///
/// let opener = FileOpener::new(OpenOptions::default());
/// for path in ["docs/sample.avro", "docs/sample.avro"] {
///     assert_eq!(opener.open(path)?.count_blocks()?.1, 300);
/// }
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct FileOpener {
    pub(crate) cache: Arc<PlanCache>,
}

impl FileOpener {
    /// Creates an opener with these options.
    #[must_use]
    pub fn new(options: OpenOptions) -> Self {
        Self { cache: Arc::new(PlanCache::new(options)) }
    }

    /// Returns the options.
    #[must_use]
    pub fn options(&self) -> &OpenOptions {
        &self.cache.options
    }

    /// Returns the names and types of all columns of files that are read as the reader's schema, as Polars has them.
    ///
    /// # Errors
    /// If there is no reader's schema, or if it exceeds a limit.
    pub fn fields(&self) -> Result<Arc<[Field]>> {
        let Some(own) = self.cache.own()? else {
            return Err(Error::argument(
                "files are read as they were written: there is no schema before one is opened",
            ));
        };
        Ok(own.plan(&Selection::default(), &self.options().limits)?.0.fields)
    }
}

impl fmt::Debug for FileOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileOpener").field("options", self.options()).finish_non_exhaustive()
    }
}
