//! Decoding of rows into a column.

use std::ops::Range;
use std::sync::Arc;

use polars_arrow::array::Array;

use super::cells::{Cells, Scratch};
use super::probe::Probe;
use super::route::Route;
use super::router::{NoRoute, Router};
use super::row_ids::RowId;
use super::run::Run;
use super::writers::{Writer, WriterSchemas};
use crate::decode::{AnyColumn, Column, Merge, NextLook};

/// Number of rows from which the capacity for the remaining rows is first estimated.
const SAMPLE: usize = 256;

/// The reason for which a column was not filled with all rows.
pub(super) enum Stop {
    /// The row failed, perhaps only because of the rows before it, see [`super::task`].
    Row(usize),
    /// An id has not been looked up yet.
    Missing,
}

/// Decodes the rows into one array. The rows in `bad`, which is sorted, are null.
pub(super) fn fill(
    router: Router<'_>,
    cells: &Cells<'_>,
    rows: Range<usize>,
    bad: &[usize],
    probe: &mut Probe<'_>,
) -> Result<Box<dyn Array>, Stop> {
    // If decoding rows together fails, they are decoded one by one to find the first bad row.
    match fill_rows(router, cells, rows.clone(), bad, probe, true) {
        Err(Stop::Row(_)) => fill_rows(router, cells, rows, bad, probe, false),
        done => done,
    }
}

fn fill_rows(
    router: Router<'_>,
    cells: &Cells<'_>,
    rows: Range<usize>,
    bad: &[usize],
    probe: &mut Probe<'_>,
    together: bool,
) -> Result<Box<dyn Array>, Stop> {
    let mut target = Target::new(router.known, rows.len(), together);
    let mut scratch = (Scratch::default(), Scratch::default());
    let mut route: Option<Route> = None;
    let mut bad = bad.iter().copied().peekable();
    let (mut id, mut id_end) = (RowId::Missing, 0);
    for segment in cells.segments(rows) {
        let mut rest = segment.rows.clone();
        while !rest.is_empty() {
            let next_bad = bad.peek().map_or(usize::MAX, |&row| row);
            if rest.start == next_bad {
                bad.next();
                target.push_null();
                rest.start += 1;
                continue;
            }
            let Some(cell) = segment.get(rest.start, &mut scratch.0) else {
                target.push_null();
                rest.start += 1;
                continue;
            };
            if rest.start >= id_end {
                ((id, id_end), route) = (router.ids.run_at(rest.start), None);
            }
            let (current, stop) = match &route {
                Some(route) if route.fits(cell) => (route, rest.end.min(next_bad).min(id_end)),
                _ => {
                    let found = router.route(id, cell, probe).map_err(|none| match none {
                        NoRoute::Missing(_) => Stop::Missing,
                        NoRoute::Bad(_) => Stop::Row(rest.start),
                    })?;
                    target.turn_to(found.writer);
                    (&*route.insert(found), rest.start + 1)
                }
            };
            let writer = &router.known.writers[current.writer];
            let run = Run { segment: &segment, route: current, writer, first: rest.start };
            rest.start = target.decode(run, rest.start..stop, &mut scratch).map_err(Stop::Row)?;
        }
    }
    Ok(target.finish())
}

/// The columns that rows are decoded into: one for each writer's schema.
struct Target<'a> {
    writers: &'a [Arc<Writer>],
    columns: Columns,
    /// The numbers of the columns' schemas, and the index of the current column.
    numbers: Vec<usize>,
    current: usize,
    len: usize,
    wanted: usize,
    look: NextLook,
    /// True if rows are decoded together whenever possible.
    together: bool,
}

enum Columns {
    One(Box<AnyColumn>),
    Several(Merge),
}

impl<'a> Target<'a> {
    /// Begins with the reader's own schema, in case no row has a schema.
    fn new(known: &'a WriterSchemas, wanted: usize, together: bool) -> Self {
        let columns = Columns::One(Box::new(known.writers[0].column.clone()));
        Self {
            writers: &known.writers,
            columns,
            numbers: vec![0],
            current: 0,
            len: 0,
            wanted,
            look: NextLook::at(SAMPLE),
            together,
        }
    }

    /// Switches to the column for rows of this schema.
    fn turn_to(&mut self, number: usize) {
        if self.numbers[self.current] == number {
            return;
        }
        if let Some(variant) = self.numbers.iter().position(|&known| known == number) {
            self.current = variant;
            return;
        }
        let mut column = self.writers[number].column.clone();
        if self.len == 0 {
            (self.columns, self.numbers) = (Columns::One(Box::new(column)), vec![number]);
            return;
        }
        self.current = self.numbers.len();
        self.numbers.push(number);
        match &mut self.columns {
            Columns::One(first) => {
                std::mem::swap(&mut **first, &mut column);
                let mut merge = Merge::beginning_with(column, self.len);
                merge.add_variant((**first).clone());
                self.columns = Columns::Several(merge);
            }
            Columns::Several(merge) => merge.add_variant(column),
        }
    }

    /// Decodes rows of one route; returns the first row that has another one. Capacity for the remaining rows is
    /// estimated from the first rows.
    fn decode(&mut self, run: Run<'_>, rows: Range<usize>, scratch: &mut (Scratch, Scratch)) -> Result<usize, usize> {
        let stop = rows.end.min(rows.start + self.look.is_in(self.len).max(1));
        let decoded = match &mut self.columns {
            Columns::One(column) => match &mut **column {
                // Most datums are records, so they have their own loop.
                AnyColumn::Record(record)
                    if self.together && run.segment.has_long_runs() && !run.route.header.is_compressed =>
                {
                    run.decode_together(rows.start..stop, scratch, record)
                }
                AnyColumn::Record(record) => {
                    run.decode(rows.start..stop, scratch, |bytes, pos| record.decode_one(bytes, pos))
                }
                column => run.decode(rows.start..stop, scratch, |bytes, pos| column.decode(bytes, pos)),
            },
            Columns::Several(merge) => {
                run.decode(rows.start..stop, scratch, |bytes, pos| merge.decode_form(self.current, bytes, pos))
            }
        };
        let end = decoded?;
        self.len += end - rows.start;
        if self.look.is_due(self.len)
            && let Columns::One(column) = &mut self.columns
        {
            column.reserve(self.wanted.saturating_sub(self.len));
        }
        Ok(end)
    }

    fn push_null(&mut self) {
        self.len += 1;
        match &mut self.columns {
            Columns::One(column) => column.push_nulls(1),
            Columns::Several(merge) => merge.push_nulls(1),
        }
    }

    fn finish(&mut self) -> Box<dyn Array> {
        match &mut self.columns {
            Columns::One(column) => column.finish(),
            Columns::Several(merge) => merge.finish(),
        }
    }
}
