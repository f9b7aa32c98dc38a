//! Rows of any framing.
//!
//! The first bytes can be ambiguous, as a bare datum may begin like a header. Therefore all interpretations are
//! returned, and the caller selects the one whose schema is known and whose datum ends at the end of the row.

use super::{Framing, Header, Headers, SchemaId, apicurio, confluent, glue, single_object};

/// Returns all interpretations, framed ones first. Ids of Confluent's registry begin at 1, which distinguishes them
/// from Apicurio's.
pub(super) fn headers(row: &[u8]) -> Headers {
    let confluent = header!(Confluent, confluent, row).filter(|header| header.id != Some(SchemaId::Number(0)));
    let (single, apicurio) = (header!(SingleObject, single_object, row), header!(Apicurio, apicurio, row));
    [single, glue::read(row), confluent, apicurio, Some(Header::BARE)]
}
