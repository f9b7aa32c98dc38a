//! Trial decoding of single rows.

use std::collections::HashMap;

use super::Framing;
use super::cells::{Cell, Scratch};
use super::route::Route;
use super::writers::{Writer, WriterSchemas};
use crate::binary::Fault;
use crate::decode::{AnyColumn, Column, explained};
use crate::error::{counted, is_or_are};

/// The number of rows after which a probe's memory is released.
const REUSE: usize = 4096;

/// Columns for trial decoding, whose values are discarded.
pub(super) struct Probe<'a> {
    known: &'a WriterSchemas,
    /// The columns by the schema's number, with the number of rows in each.
    columns: HashMap<usize, (AnyColumn, usize)>,
    scratch: Scratch,
}

impl<'a> Probe<'a> {
    pub(super) fn new(known: &'a WriterSchemas) -> Self {
        Self { known, columns: HashMap::new(), scratch: Scratch::default() }
    }

    /// Checks that a row decodes by this route, and that the datum ends at the end of the row.
    pub(super) fn check(&mut self, route: &Route, cell: Cell<'_>) -> Result<(), Fault> {
        let writer = &*self.known.writers[route.writer];
        let (column, rows) = self.columns.entry(route.writer).or_insert_with(|| (writer.column.clone(), 0));
        *rows += 1;
        if *rows < REUSE
            && decode(route, writer, cell, &mut self.scratch, |bytes, pos| column.decode(bytes, pos)).is_ok()
        {
            return Ok(());
        }
        // Limits apply to all rows of a column, and the state of a failed column is unspecified.
        (*column, *rows) = (writer.column.clone(), 0);
        let alone = decode(route, writer, cell, &mut self.scratch, |bytes, pos| column.decode(bytes, pos));
        alone.map_err(|fault| {
            self.columns.remove(&route.writer);
            match datum(route, writer, cell, &mut self.scratch) {
                Ok((datum, pos)) => explained(fault, "datum", &writer.schema, datum.padded(), pos),
                Err(_) => fault,
            }
        })
    }
}

/// Returns the bytes that hold the datum of a row, and the position at which it begins.
#[inline(always)]
fn datum<'s>(
    route: &Route,
    writer: &Writer,
    cell: Cell<'s>,
    scratch: &'s mut Scratch,
) -> Result<(Cell<'s>, usize), Fault> {
    if route.header.is_compressed {
        return Ok((scratch.inflate(&cell.row()[route.header.len..], writer.datum_bytes)?, 0));
    }
    if writer.is_bytes && route.header.framing == Framing::Confluent {
        return Ok((scratch.with_length(&cell.row()[route.header.len..]), 0));
    }
    Ok((cell, route.header.len))
}

/// Decodes the datum after a row's header. It must end at the end of the row.
#[inline(always)]
pub(super) fn decode(
    route: &Route,
    writer: &Writer,
    cell: Cell<'_>,
    scratch: &mut Scratch,
    decode: impl FnOnce(&[u8], usize) -> Result<usize, Fault>,
) -> Result<(), Fault> {
    let (datum, pos) = datum(route, writer, cell, scratch)?;
    let end = decode(datum.padded(), pos)?;
    if end == datum.len() { Ok(()) } else { Err(wrong_end(end, datum.len())) }
}

#[cold]
#[inline(never)]
fn wrong_end(end: usize, len: usize) -> Fault {
    match len.checked_sub(end) {
        Some(left) => {
            let left = left as u64;
            Fault::data(format!("{} {} left after the datum", counted(left, "byte"), is_or_are(left)))
        }
        // Short reads may run into the padding.
        None => Fault::truncated(),
    }
}
