//! The bytes before a datum that identify its writer's schema. Each framing has its own file.

/// Reads a header with the module of a framing.
macro_rules! header {
    ($framing:ident, $module:ident, $row:expr) => {
        $module::read($row).map(|id| Header {
            framing: Framing::$framing,
            id: Some(SchemaId::Number(id)),
            len: $module::LEN,
            is_compressed: false,
        })
    };
}

mod apicurio;
mod auto;
mod confluent;
pub(super) mod glue;
mod single_object;

use std::str::FromStr;

use super::SchemaId;
use crate::{Error, Result};

/// The framing of each datum: the bytes before it.
///
/// ```
/// use polars_avro::Framing;
///
/// assert_eq!("confluent".parse::<Framing>()?, Framing::Confluent);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Nothing: the row is the datum.
    #[default]
    Datum,
    /// Avro's single-object encoding: `C3 01` and the schema's CRC-64-AVRO fingerprint, least significant byte first.
    SingleObject,
    /// The wire format of Confluent's schema registry: `00` and an id of four bytes, most significant byte first.
    Confluent,
    /// The wire format of Apicurio's schema registry: `00` and an id of eight bytes, most significant byte first.
    Apicurio,
    /// The wire format of AWS Glue's schema registry: `03`, a byte for the compression of the datum (`00` for none, `05`
    /// for zlib), and the 16 bytes of a schema version id.
    Glue,
    /// Any of these, detected from the first bytes of each row.
    Auto,
}

/// One possible interpretation of the beginning of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Never [`Framing::Auto`].
    pub(super) framing: Framing,
    /// The id or fingerprint; `None` for a bare datum.
    pub(super) id: Option<SchemaId>,
    /// The number of bytes before the datum.
    pub(super) len: usize,
    /// True if the datum is compressed with zlib.
    pub(super) is_compressed: bool,
}

/// The possible interpretations of the beginning of a row.
pub(super) type Headers = [Option<Header>; 5];

impl Header {
    /// The interpretation as a bare datum.
    const BARE: Self = Self { framing: Framing::Datum, id: None, len: 0, is_compressed: false };
}

impl Framing {
    /// Returns all possible interpretations of the beginning of a row.
    pub(super) fn headers(self, row: &[u8]) -> Headers {
        let header = match self {
            Self::Datum => Some(Header::BARE),
            Self::SingleObject => header!(SingleObject, single_object, row),
            Self::Confluent => header!(Confluent, confluent, row),
            Self::Apicurio => header!(Apicurio, apicurio, row),
            Self::Glue => glue::read(row),
            Self::Auto => return auto::headers(row),
        };
        [header, None, None, None, None]
    }

    /// Returns the bytes before every datum of a schema with this fingerprint, registered under this id.
    pub(super) fn header(self, fingerprint: u64, id: Option<SchemaId>) -> Result<Vec<u8>> {
        let wrong = |message: &str| Err(Error::argument(format!("{message} `framing={:?}`", self.name())));
        match (self, id) {
            (Self::Datum, None) => Ok(Vec::new()),
            (Self::SingleObject, None) => Ok(single_object::write(fingerprint)),
            (Self::Datum | Self::SingleObject, Some(_)) => wrong("`schema_id` has no place in"),
            (Self::Confluent, Some(SchemaId::Number(id))) => match u32::try_from(id) {
                Ok(id) => Ok(confluent::write(id)),
                Err(_) => wrong("`schema_id` has more than the 4 bytes of"),
            },
            (Self::Apicurio, Some(SchemaId::Number(id))) => Ok(apicurio::write(id)),
            (Self::Confluent | Self::Apicurio, Some(SchemaId::Uuid(_))) => wrong("`schema_id` must be a number for"),
            (Self::Glue, Some(SchemaId::Uuid(id))) => Ok(glue::write(id)),
            (Self::Glue, Some(SchemaId::Number(_))) => wrong("`schema_id` must be a UUID for"),
            (Self::Confluent | Self::Apicurio | Self::Glue, None) => wrong("`schema_id` is needed for"),
            (Self::Auto, _) => wrong("datums cannot be written with"),
        }
    }

    /// Returns the name that [`Framing::from_str`] parses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Datum => "datum",
            Self::SingleObject => "single_object",
            Self::Confluent => "confluent",
            Self::Apicurio => "apicurio",
            Self::Glue => "glue",
            Self::Auto => "auto",
        }
    }

    /// Formats an id for messages; a fingerprint as its bytes in the order of the row.
    pub(super) fn id_text(self, id: SchemaId) -> String {
        match (self, id) {
            (Self::SingleObject, SchemaId::Number(id)) => {
                let bytes = id.to_le_bytes().map(|byte| format!("{byte:02x}")).concat();
                format!("fingerprint {bytes} (as a number {id:#018x})")
            }
            _ => format!("schema id {id}"),
        }
    }
}

impl FromStr for Framing {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let all = [Self::Datum, Self::SingleObject, Self::Confluent, Self::Apicurio, Self::Glue, Self::Auto];
        let names = || all.map(|framing| format!("{:?}", framing.name())).join(", ");
        let found = all.into_iter().find(|framing| framing.name() == name);
        found.ok_or_else(|| Error::argument(format!("`framing` must be one of {}, got {name:?}", names())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(framing: Framing, row: &[u8]) -> Vec<(Framing, Option<u64>, usize)> {
        let headers = framing.headers(row).into_iter().flatten();
        headers.map(|header| (header.framing, header.id.map(number), header.len)).collect()
    }

    fn number(id: SchemaId) -> u64 {
        match id {
            SchemaId::Number(number) => number,
            SchemaId::Uuid(uuid) => panic!("{uuid:x} is no number"),
        }
    }

    #[test]
    fn each_framing_reads_its_own_header() {
        let single = [0xc3, 0x01, 8, 7, 6, 5, 4, 3, 2, 1, 99];
        assert_eq!(read(Framing::SingleObject, &single), [(Framing::SingleObject, Some(0x0102_0304_0506_0708), 10)]);
        let confluent = [0, 0, 0, 1, 2, 99];
        assert_eq!(read(Framing::Confluent, &confluent), [(Framing::Confluent, Some(258), 5)]);
        let apicurio = [0, 0, 0, 0, 0, 0, 0, 1, 2, 99];
        assert_eq!(read(Framing::Apicurio, &apicurio), [(Framing::Apicurio, Some(258), 9)]);
        assert_eq!(read(Framing::Datum, &confluent), [(Framing::Datum, None, 0)]);
    }

    #[test]
    fn a_header_that_is_written_is_read() {
        for (framing, id) in
            [(Framing::Confluent, Some(258)), (Framing::Apicurio, Some(1 << 40)), (Framing::SingleObject, None)]
        {
            let header = framing.header(77, id.map(SchemaId::Number)).unwrap();
            assert_eq!(read(framing, &header), [(framing, id.or(Some(77)), header.len())]);
        }
        assert!(Framing::Datum.header(77, None).unwrap().is_empty());
    }

    #[test]
    fn glue_has_a_uuid_and_a_compression() {
        let id = SchemaId::Uuid(0x0102 << 112);
        let mut written = Framing::Glue.header(77, Some(id)).unwrap();
        assert_eq!(written, [&[3, 0, 1, 2][..], &[0; 14]].concat());
        let header = Framing::Glue.headers(&written)[0].unwrap();
        assert_eq!((header.id, header.len, header.is_compressed), (Some(id), 18, false));
        glue::compress(&mut written);
        assert!(Framing::Glue.headers(&written)[0].unwrap().is_compressed);
        assert!(Framing::Glue.header(77, Some(SchemaId::Number(1))).unwrap_err().message().contains("must be a UUID"));
    }

    #[test]
    fn ids_are_wanted_where_they_have_a_place() {
        let message =
            |framing: Framing, id: Option<u64>| framing.header(77, id.map(SchemaId::Number)).unwrap_err().to_string();
        assert!(message(Framing::Confluent, Some(1 << 32)).contains("more than the 4 bytes"));
        assert!(message(Framing::Apicurio, None).contains("`schema_id` is needed"));
        assert!(message(Framing::SingleObject, Some(1)).contains("no place"));
        assert!(message(Framing::Auto, None).contains("\"auto\""));
        let uuid = Framing::Confluent.header(77, Some(SchemaId::Uuid(1))).unwrap_err();
        assert!(uuid.message().contains("must be a number"), "{uuid}");
    }

    #[test]
    fn a_header_that_is_cut_short_is_none() {
        assert!(read(Framing::SingleObject, &[0xc3, 0x01, 1, 2, 3, 4, 5, 6, 7]).is_empty());
        assert!(read(Framing::Confluent, &[0, 0, 0, 1]).is_empty());
        assert!(read(Framing::Apicurio, &[0, 0, 0, 0, 0, 0, 0, 1]).is_empty());
        assert!(read(Framing::Confluent, &[1, 0, 0, 0, 1]).is_empty());
        assert!(read(Framing::SingleObject, &[]).is_empty());
        assert!(Framing::Glue.headers(&[&[3, 0][..], &[7; 15]].concat())[0].is_none());
        assert!(Framing::Glue.headers(&[&[3, 1][..], &[7; 16]].concat())[0].is_none());
    }

    #[test]
    fn auto_gives_every_reading_a_bare_datum_last() {
        let framings =
            |row: &[u8]| read(Framing::Auto, row).into_iter().map(|(framing, ..)| framing).collect::<Vec<_>>();
        assert_eq!(framings(&[2, 4]), [Framing::Datum]);
        assert_eq!(framings(&[0xc3, 1, 1, 2, 3, 4, 5, 6, 7, 8]), [Framing::SingleObject, Framing::Datum]);
        assert_eq!(framings(&[0, 0, 0, 0, 7, 2]), [Framing::Confluent, Framing::Datum]);
        assert_eq!(framings(&[0, 0, 0, 0, 0, 0, 0, 0, 7, 2]), [Framing::Apicurio, Framing::Datum]);
        let both = [Framing::Confluent, Framing::Apicurio, Framing::Datum];
        assert_eq!(framings(&[0, 0, 0, 0, 7, 0, 0, 0, 7, 2]), both);
    }
}
