//! Reading with the reports on what was left out.

use polars_avro::{BadBlock, ContainerFile, ReadOptions};

use crate::columns;
use crate::expected::Cell;

/// The rows that came out, and what was reported.
pub(crate) type Reported = (Vec<Vec<Cell>>, Vec<BadBlock>);

/// Reads to the end; reports come with the batch they stand before, or at the end.
pub(crate) fn read(file: &ContainerFile, options: &ReadOptions) -> polars_avro::Result<Reported> {
    let mut reader = file.read(options)?;
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    while let Some(batch) = reader.next() {
        let batch = batch?;
        bad.extend(reader.take_bad_blocks());
        let cells: Vec<_> = batch.arrays.iter().map(|array| columns::cells(array.as_ref())).collect();
        rows.extend((0..batch.height).map(|row| cells.iter().map(|column| column[row].clone()).collect::<Vec<_>>()));
    }
    bad.extend(reader.take_bad_blocks());
    Ok((rows, bad))
}
