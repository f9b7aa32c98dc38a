//! The extension module `polars_avro._core`: extract, detach, call the core, wrap.
//!
//! The Python package is written against the names here (`polars_avro/_core.pyi`); users see the package only.

mod arrow;
mod error;
mod file;

use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Polars' pool is not asked: that would start it.
    if let Some(threads) = std::env::var("POLARS_MAX_THREADS").ok().and_then(|value| value.parse().ok()) {
        crate::set_threads(threads);
    }
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<arrow::Batch>()?;
    module.add_class::<arrow::Batches>()?;
    module.add_class::<file::ContainerFile>()?;
    module.add_class::<file::BatchReader>()?;
    module.add_class::<file::ReadOptions>()
}
