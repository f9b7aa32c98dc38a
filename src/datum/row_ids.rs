//! Schema ids in a column beside the datums.

use super::framing::Header;
use super::{Framing, SchemaId};

/// The schema ids of rows, if they are in another column instead of before each datum. Consecutive rows with the same id
/// are stored as one run.
///
/// A row with an id is a bare datum. A row without one has the framing of [`DatumOptions`](super::DatumOptions).
///
/// ```
/// use polars_avro::RowIds;
///
/// let ids: RowIds = [Some(7.into()), Some(7.into()), None].into_iter().collect();
/// assert_eq!(ids.len(), 3);
/// ```
#[derive(Clone, Debug, Default)]
pub struct RowIds {
    /// The row after each run, and the run's id.
    runs: Vec<(usize, RowId)>,
}

/// The schema id of a row in another column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowId {
    /// No id: the row has the framing of the column.
    Missing,
    /// The interpretation of a bare row.
    Known(Header),
    /// Bytes of no known layout: their number, and the first one.
    Malformed(usize, u8),
}

impl RowIds {
    /// Reads ids from the values of message headers:
    ///
    /// | bytes | content |
    /// |---|---|
    /// | 5 | `00` and an id, Confluent's `__value_schema_id` |
    /// | 17 | `01` and a GUID, Confluent's `__value_schema_id` |
    /// | 8 | an id, Apicurio's `apicurio.value.contentId` and `apicurio.value.globalId` |
    /// | 4 | an id |
    /// | 16 | a UUID |
    ///
    /// Numbers are big-endian. A row with other bytes is bad.
    #[must_use]
    pub fn from_headers<'a>(headers: impl IntoIterator<Item = Option<&'a [u8]>>) -> Self {
        Self::new(headers.into_iter().map(|header| header.map_or(RowId::Missing, RowId::read)))
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.last().map_or(0, |&(end, _)| end)
    }

    /// Returns true if there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    fn new(ids: impl Iterator<Item = RowId>) -> Self {
        let mut runs: Vec<(usize, RowId)> = Vec::new();
        for (row, id) in ids.enumerate() {
            match runs.last_mut() {
                Some((end, last)) if *last == id => *end = row + 1,
                _ => runs.push((row + 1, id)),
            }
        }
        Self { runs }
    }

    /// Returns the id of a row, and the row after the last one of its run.
    pub(super) fn run_at(&self, row: usize) -> (RowId, usize) {
        let run = self.runs.partition_point(|&(end, _)| end <= row);
        self.runs.get(run).map_or((RowId::Missing, usize::MAX), |&(end, id)| (id, end))
    }
}

impl FromIterator<Option<SchemaId>> for RowIds {
    fn from_iter<I: IntoIterator<Item = Option<SchemaId>>>(ids: I) -> Self {
        Self::new(ids.into_iter().map(|id| id.map_or(RowId::Missing, |id| RowId::bare(Framing::Datum, id))))
    }
}

impl RowId {
    /// Returns the id of a datum that a serializer of this framing wrote without its header.
    fn bare(framing: Framing, id: SchemaId) -> Self {
        Self::Known(Header { framing, id: Some(id), len: 0, is_compressed: false })
    }

    /// Reads the value of a message header.
    fn read(header: &[u8]) -> Self {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number: u128, &byte| (number << 8) | u128::from(byte));
        let (id, uuid) = (|bytes| SchemaId::Number(number(bytes) as u64), |bytes| SchemaId::Uuid(number(bytes)));
        match (header.len(), header) {
            (5, [0, rest @ ..]) => Self::bare(Framing::Confluent, id(rest)),
            (17, [1, rest @ ..]) => Self::bare(Framing::Confluent, uuid(rest)),
            (8, _) => Self::bare(Framing::Apicurio, id(header)),
            (4, _) => Self::bare(Framing::Datum, id(header)),
            (16, _) => Self::bare(Framing::Datum, uuid(header)),
            (len, _) => Self::Malformed(len, header.first().copied().unwrap_or(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &[u8]) -> Option<(Framing, SchemaId)> {
        match RowId::read(header) {
            RowId::Known(header) => Some((header.framing, header.id?)),
            _ => None,
        }
    }

    #[test]
    fn headers_of_each_vendor_are_read() {
        let uuid: [u8; 16] = std::array::from_fn(|i| i as u8);
        let number = SchemaId::Uuid(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f);
        assert_eq!(read(&[0, 0, 0, 1, 2]), Some((Framing::Confluent, SchemaId::Number(258))));
        assert_eq!(read(&[&[1][..], &uuid].concat()), Some((Framing::Confluent, number)));
        assert_eq!(read(&[0, 0, 0, 0, 0, 0, 1, 2]), Some((Framing::Apicurio, SchemaId::Number(258))));
        assert_eq!(read(&[0, 0, 1, 2]), Some((Framing::Datum, SchemaId::Number(258))));
        assert_eq!(read(&uuid), Some((Framing::Datum, number)));
        assert_eq!(RowId::read(&[1, 0, 0, 1, 2]), RowId::Malformed(5, 1));
        assert_eq!(RowId::read(&[]), RowId::Malformed(0, 0));
    }

    #[test]
    fn equal_ids_are_one_run() {
        let ids: RowIds =
            [Some(7), Some(7), None, Some(7)].map(|id: Option<u64>| id.map(Into::into)).into_iter().collect();
        let seven = RowId::bare(Framing::Datum, SchemaId::Number(7));
        let runs: Vec<_> = (0..5).map(|row| ids.run_at(row)).collect();
        assert_eq!(runs[..4], [(seven, 2), (seven, 2), (RowId::Missing, 3), (seven, 4)]);
        assert_eq!(runs[4], (RowId::Missing, usize::MAX));
        assert_eq!((ids.len(), RowIds::default().run_at(0)), (4, (RowId::Missing, usize::MAX)));
    }
}
