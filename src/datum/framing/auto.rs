//! Rows of any framing.
//!
//! The first bytes do not always decide: a bare datum may begin like a header. So every reading is given, and the
//! caller takes the one whose schema is known and whose bytes decode to their end.

use super::{Framing, Header, apicurio, confluent, single_object};

/// Every reading, framed ones first. Ids of Confluent's registry begin at 1, which keeps those of Apicurio's apart.
pub(super) fn headers(row: &[u8]) -> [Option<Header>; 4] {
    let confluent = header!(Confluent, confluent, row).filter(|header| header.id != Some(0));
    let bare = Header { framing: Framing::Datum, id: None, len: 0 };
    [header!(SingleObject, single_object, row), confluent, header!(Apicurio, apicurio, row), Some(bare)]
}
