//! Rows into a column.

use std::ops::Range;

use polars_arrow::array::Array;

use super::cells::{Cells, Scratch};
use super::known::{Known, Writer};
use super::probe::{Probe, decode};
use super::route::{NoRoute, Route, Router};
use crate::binary::Fault;
use crate::decode::{AnyColumn, Column, Merge};

/// Rows whose size tells how much room the rest needs.
const SAMPLE: usize = 256;

/// What ended the filling of a column before its rows did.
pub(super) enum Stop {
    /// The row failed; perhaps only in this place, see [`super::task`].
    Row(usize),
    /// An id has not been looked up yet.
    Missing,
}

/// The rows as one array; those in `bad`, which is sorted, are null.
pub(super) fn fill(
    router: Router<'_>,
    cells: &Cells<'_>,
    rows: Range<usize>,
    bad: &[usize],
    probe: &mut Probe<'_>,
) -> Result<Box<dyn Array>, Stop> {
    let mut target = Target::new(router.known, rows.len());
    let (mut short, mut long) = (Scratch::default(), Scratch::default());
    let (mut route, mut writer) = (None::<Route>, &*router.known.writers[0]);
    let mut bad = bad.iter().peekable();
    for segment in cells.segments(rows) {
        for row in segment.rows.clone() {
            let cell = if bad.next_if_eq(&&row).is_some() { None } else { segment.get(row, &mut short) };
            let Some(cell) = cell else {
                target.push_null();
                continue;
            };
            let current = match &route {
                Some(route) if route.fits(cell) => route,
                _ => {
                    let found = router.route(cell, probe).map_err(|none| match none {
                        NoRoute::Missing(_) => Stop::Missing,
                        NoRoute::Bad(_) => Stop::Row(row),
                    })?;
                    target.turn_to(found.writer);
                    writer = &router.known.writers[found.writer];
                    route.insert(found)
                }
            };
            let pushed = decode(current, writer, cell, &mut long, |bytes, pos| target.decode(bytes, pos));
            pushed.map_err(|_| Stop::Row(row))?;
            target.grow();
        }
    }
    Ok(target.finish())
}

/// The column that rows go into: one for each schema they are written with.
struct Target<'a> {
    writers: &'a [std::sync::Arc<Writer>],
    columns: Columns,
    /// The schemas of the columns, and which of them comes next.
    numbers: Vec<usize>,
    current: usize,
    len: usize,
    wanted: usize,
}

enum Columns {
    One(Box<AnyColumn>),
    Several(Merge),
}

impl<'a> Target<'a> {
    /// Begins with the reader's own schema, in case that no row has any.
    fn new(known: &'a Known, wanted: usize) -> Self {
        let columns = Columns::One(Box::new(known.writers[0].column.clone()));
        Self { writers: &known.writers, columns, numbers: vec![0], current: 0, len: 0, wanted }
    }

    /// The next rows are written with this schema.
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

    #[inline(always)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        match &mut self.columns {
            Columns::One(column) => column.decode(bytes, pos),
            Columns::Several(merge) => merge.decode_form(self.current, bytes, pos),
        }
    }

    /// Counts a row that was decoded, and makes room for the rest once some are.
    #[inline(always)]
    fn grow(&mut self) {
        self.len += 1;
        if self.len == SAMPLE
            && let Columns::One(column) = &mut self.columns
        {
            column.reserve(self.wanted.saturating_sub(SAMPLE));
        }
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
