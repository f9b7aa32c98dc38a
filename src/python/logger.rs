//! Log records of this crate, passed to the Python logger `polars_avro`.

use log::{LevelFilter, Log, Metadata, Record};
use pyo3::prelude::*;

use super::interpreter::attach;

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("polars_avro")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // Nothing is logged after the end of the interpreter, and errors of handlers are those of the program.
        let _ = attach(|py| {
            let logged = py.import("logging").and_then(|logging| {
                let logger = logging.call_method1("getLogger", ("polars_avro",))?;
                logger.call_method1("warning", ("%s", record.args().to_string()))
            });
            if let Err(error) = logged {
                error.write_unraisable(py, None);
            }
        });
    }

    fn flush(&self) {}
}

/// Sends warnings of this crate to Python.
pub(super) fn install() {
    // It fails if there is a logger, which belongs to the program then.
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(LevelFilter::Warn);
    }
}
