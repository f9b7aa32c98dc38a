//! The extension module `polars_avro._core`: extract, detach, call the core, wrap.
//!
//! The Python package is written against the names here (`polars_avro/_core.pyi`); users see the package only.

mod arrow;
mod error;
mod file;

use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sets how many threads decoding may use; without effect once something has been decoded.
#[pyfunction]
fn set_threads(n: usize) {
    crate::set_threads(n);
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<arrow::Batch>()?;
    module.add_class::<arrow::Batches>()?;
    module.add_class::<file::ContainerFile>()?;
    module.add_class::<file::BatchReader>()?;
    module.add_class::<file::ReadOptions>()?;
    module.add_function(wrap_pyfunction!(set_threads, module)?)
}
