//! The extension module `polars_avro._core`: extract, detach, call the core, wrap.
//!
//! The names here are internal to the Python package (`polars_avro/_core.pyi`) and not part of its API.

mod arrow;
mod batch_reader;
mod compatibility;
mod damage;
mod datum;
mod error;
mod file;
mod file_set;
mod filter;
mod frame;
mod importable;
mod interpreter;
mod interrupt;
#[cfg(feature = "object_store")]
mod logger;
mod open_file;
mod options;
mod running;
mod sink;
mod source;
#[cfg(feature = "object_store")]
mod store;
mod writer;

use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    #[cfg(feature = "object_store")]
    logger::install();
    // Read the variable: querying Polars would start its pool.
    if let Some(threads) = std::env::var("POLARS_MAX_THREADS").ok().and_then(|value| value.parse().ok()) {
        polars_avro::set_thread_pool_size(threads);
    }
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(damage::default_limits, module)?)?;
    #[cfg(feature = "object_store")]
    {
        module.add_function(wrap_pyfunction!(store::store_files, module)?)?;
        module.add_function(wrap_pyfunction!(store::check_store_options, module)?)?;
        module.add_function(wrap_pyfunction!(store::store_files_in, module)?)?;
        module.add_function(wrap_pyfunction!(store::store_sizes, module)?)?;
        module.add_function(wrap_pyfunction!(store::remove_store_files, module)?)?;
        module.add_class::<store::StoreFile>()?;
        module.add_class::<store::StoreTarget>()?;
        module.add_class::<store::StoreTargets>()?;
    }
    module.add_function(wrap_pyfunction!(interpreter::close_interpreter, module)?)?;
    module.add_function(wrap_pyfunction!(interpreter::reopen_interpreter, module)?)?;
    module.add_function(wrap_pyfunction!(running::stop_reads, module)?)?;
    module.add_class::<running::OnDrop>()?;
    module.add_class::<open_file::OpenFile>()?;
    module.add_class::<arrow::Batch>()?;
    module.add_class::<arrow::Batches>()?;
    module.add_class::<arrow::Column>()?;
    module.add_class::<options::FileOpener>()?;
    module.add_class::<datum::DatumDecoder>()?;
    module.add_class::<datum::DatumEncoder>()?;
    module.add_class::<datum::Datums>()?;
    module.add_function(wrap_pyfunction!(datum::datum_schema, module)?)?;
    module.add_class::<file::ContainerFile>()?;
    module.add_class::<file_set::FileSet>()?;
    module.add_class::<batch_reader::BatchReader>()?;
    module.add_class::<frame::Frame>()?;
    module.add_class::<frame::FrameStream>()?;
    module.add_function(wrap_pyfunction!(writer::check_written_schema, module)?)?;
    module.add_function(wrap_pyfunction!(writer::select_columns, module)?)?;
    module.add_function(wrap_pyfunction!(compatibility::incompatibilities, module)?)?;
    module.add_class::<writer::WriteOptions>()?;
    module.add_class::<writer::Writer>()?;
    module.add_class::<options::ReadOptions>()
}
