//! Decoding of a run of rows, including the handling of bad ones.

use std::ops::Range;

use polars_arrow::array::Array;

use super::Framing;
use super::cells::{Cells, Scratch};
use super::fill::{Stop, fill};
use super::probe::Probe;
use super::router::{NoRoute, Router};
use crate::binary::Fault;
use crate::{Error, ErrorKind, Result};

/// Decodes the runs of rows of one column.
#[derive(Clone, Copy)]
pub(super) struct Tasks<'a> {
    pub(super) router: Router<'a>,
    pub(super) cells: &'a Cells<'a>,
    pub(super) ignore_errors: bool,
}

/// The result of decoding a run of rows.
pub(super) enum Done {
    Rows {
        arrays: Vec<Box<dyn Array>>,
        /// The number of bad rows; the error of the first is in `first_bad`.
        bad: usize,
        first_bad: Option<Error>,
    },
    /// Some rows have ids that have not been looked up yet.
    Missing,
}

impl Tasks<'_> {
    /// Decodes a run of rows.
    pub(super) fn run(&self, rows: Range<usize>) -> Result<Done> {
        let mut probe = Probe::new(self.router.known);
        let (mut arrays, mut start) = (Vec::new(), rows.start);
        let (mut bad, mut first_bad, mut searched) = (Vec::new(), None, false);
        while start < rows.end {
            let row = match fill(self.router, self.cells, start..rows.end, from(&bad, start), &mut probe) {
                Ok(array) => {
                    arrays.push(array);
                    break;
                }
                Err(Stop::Missing) => return Ok(Done::Missing),
                Err(Stop::Row(row)) => row,
            };
            match self.examine(row, &mut probe) {
                Examined::Missing => return Ok(Done::Missing),
                Examined::Bad(fault) if !self.ignore_errors => return Err(self.error(fault, row)),
                Examined::Bad(fault) if !searched => {
                    searched = true;
                    first_bad = Some(self.error(fault, row));
                    bad.push(row);
                    for row in row + 1..rows.end {
                        match self.examine(row, &mut probe) {
                            Examined::Good => {}
                            Examined::Bad(_) => bad.push(row),
                            Examined::Missing => return Ok(Done::Missing),
                        }
                    }
                }
                // The row is good on its own, but a limit over the whole batch was reached: the batch ends before this
                // row.
                Examined::Good if row > start => {
                    match fill(self.router, self.cells, start..row, from(&bad, start), &mut probe) {
                        Ok(array) => arrays.push(array),
                        Err(_) => return Err(unsteady(row)),
                    }
                    start = row;
                }
                Examined::Good | Examined::Bad(_) => return Err(unsteady(row)),
            }
        }
        Ok(Done::Rows { arrays, bad: bad.len(), first_bad })
    }

    /// Decodes one row on its own.
    fn examine(&self, row: usize, probe: &mut Probe<'_>) -> Examined {
        let mut scratch = Scratch::default();
        let Some(cell) = self.cells.get(row, &mut scratch) else { return Examined::Good };
        let id = self.router.ids.run_at(row).0;
        let route = match self.router.route(id, cell, probe) {
            Ok(route) => route,
            Err(NoRoute::Missing(_)) => return Examined::Missing,
            Err(NoRoute::Bad(fault)) => return Examined::Bad(fault),
        };
        match probe.check(&route, cell) {
            Ok(()) => Examined::Good,
            Err(fault) => Examined::Bad(fault),
        }
    }

    fn error(&self, fault: Fault, row: usize) -> Error {
        let error = fault.into_error();
        let mut scratch = Scratch::default();
        let framing = match self.cells.get(row, &mut scratch).map_or(&[][..], |cell| cell.row()) {
            [0xc3, 0x01, rest @ ..] if rest.len() >= 8 => Some("\"single_object\""),
            [0, rest @ ..] if rest.len() >= 4 => Some("\"confluent\" or \"apicurio\""),
            _ => None,
        };
        let error = match framing.filter(|_| self.router.framing == Framing::Datum) {
            Some(framing) => error.with_hint(&format!("the row begins like one of framing {framing}")),
            None => error,
        };
        error.at(|position| position.row = Some(row as u64))
    }
}

enum Examined {
    Good,
    Bad(Fault),
    Missing,
}

/// Returns those of the sorted rows that are not before `start`.
fn from(rows: &[usize], start: usize) -> &[usize] {
    &rows[rows.partition_point(|&row| row < start)..]
}

#[cold]
fn unsteady(row: usize) -> Error {
    Error::new(ErrorKind::Internal, "a row decodes in one way alone and in another among others")
        .at(|position| position.row = Some(row as u64))
}
