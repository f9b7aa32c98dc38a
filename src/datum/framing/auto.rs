//! Rows of any framing.
//!
//! The first bytes can be ambiguous, as a bare datum may begin like a header. Therefore all interpretations are
//! returned, and the caller selects the one whose schema is known and whose datum ends at the end of the row.

use super::{Framing, Header, SchemaId, apicurio, confluent, single_object};

/// Returns all interpretations, framed ones first. Ids of Confluent's registry begin at 1, which distinguishes them
/// from Apicurio's.
pub(super) fn headers(row: &[u8]) -> [Option<Header>; 4] {
    let confluent = header!(Confluent, confluent, row).filter(|header| header.id != Some(SchemaId::Number(0)));
    let bare = Header { framing: Framing::Datum, id: None, len: 0 };
    [header!(SingleObject, single_object, row), confluent, header!(Apicurio, apicurio, row), Some(bare)]
}
