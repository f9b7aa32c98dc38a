//! The identifier of a schema.

use std::fmt;

/// The identifier of a writer's schema, in the header of a row or in a column beside the rows.
///
/// ```
/// use polars_avro::SchemaId;
///
/// assert_eq!(SchemaId::from(7).to_string(), "7");
/// let guid = SchemaId::Uuid(0x00112233_4455_6677_8899_aabbccddeeff);
/// assert_eq!(guid.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaId {
    /// The id of a schema in a registry, or the 8 bytes of a fingerprint as a little-endian number.
    Number(u64),
    /// A UUID as a big-endian number, such as a GUID in Confluent's registry.
    Uuid(u128),
}

impl From<u64> for SchemaId {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

/// Formats a UUID in its usual form, with hyphens.
impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Uuid(uuid) => {
                let text = format!("{uuid:032x}");
                write!(f, "{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
            }
        }
    }
}
