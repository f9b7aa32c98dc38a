//! Opening files, with what depends on their schemas made once for each.

use std::fmt;
use std::sync::Arc;

use polars_arrow::datatypes::Field;

use super::{OpenFile, OpenOptions, PlanCache, Selection};
use crate::{Error, Header, Result, Source};

/// Opens any number of files in the same way. What it has made of the schema of one serves the next ones. Cheap to clone.
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
    /// What opens files in this way.
    #[must_use]
    pub fn new(options: OpenOptions) -> Self {
        Self { cache: Arc::new(PlanCache::new(options)) }
    }

    /// How it opens files.
    #[must_use]
    pub fn options(&self) -> &OpenOptions {
        &self.cache.options
    }

    /// Every column of files that are read as the reader's schema, as Polars has it.
    ///
    /// # Errors
    /// Where there is none, and where it is more than a limit allows.
    pub fn fields(&self) -> Result<Arc<[Field]>> {
        let Some(own) = self.cache.own()? else {
            return Err(Error::argument(
                "files are read as they were written: there is no schema before one is opened",
            ));
        };
        Ok(own.plan(&Selection::default(), &self.options().limits)?.0.fields)
    }

    /// Reads a file's header and resolves its schema.
    pub(crate) fn open_file(&self, source: Arc<dyn Source>) -> Result<OpenFile> {
        let limits = self.options().limits.clone();
        let header = Header::read(&*source, &limits)?;
        let resolved = self.cache.of(&header.schema_json).map_err(|error| error.in_file(source.name()))?;
        Ok(OpenFile { number: 0, source, header, resolved, limits, index: Arc::default(), held: None })
    }
}

impl fmt::Debug for FileOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileOpener").field("options", self.options()).finish_non_exhaustive()
    }
}
