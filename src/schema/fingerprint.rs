//! Schema fingerprints (specification, "Schema Fingerprints").

use sha2::{Digest, Sha256};

use super::Schema;

/// A fingerprint algorithm for schemas.
///
/// ```
/// use polars_avro::schema::Fingerprint;
///
/// let schema: polars_avro::Schema = r#""int""#.parse()?;
/// assert_eq!(schema.fingerprint(Fingerprint::Rabin), [0x8f, 0x5c, 0x39, 0x3f, 0x1a, 0xd5, 0x75, 0x72]);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fingerprint {
    /// CRC-64-AVRO, 8 bytes.
    Rabin,
    /// MD5, 16 bytes.
    Md5,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl Schema {
    /// Returns the fingerprint of the [canonical form](Schema::canonical_form).
    ///
    /// The bytes of [`Fingerprint::Rabin`] are little-endian, as in the header of the single-object encoding.
    #[must_use]
    pub fn fingerprint(&self, fingerprint: Fingerprint) -> Vec<u8> {
        let canonical = self.canonical_form();
        match fingerprint {
            Fingerprint::Rabin => rabin(canonical.as_bytes()).to_le_bytes().to_vec(),
            Fingerprint::Md5 => md5::Md5::digest(canonical).to_vec(),
            Fingerprint::Sha256 => Sha256::digest(canonical).to_vec(),
        }
    }
}

/// The polynomial of CRC-64-AVRO, which is also the fingerprint of empty input.
const EMPTY: u64 = 0xc15d_213a_a4d7_a795;

/// Lookup table of CRC-64-AVRO: the contribution of each low byte of the remainder.
const TABLE: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            remainder = (remainder >> 1) ^ (EMPTY & (remainder & 1).wrapping_neg());
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
};

fn rabin(bytes: &[u8]) -> u64 {
    bytes.iter().fold(EMPTY, |crc, &byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// Test vectors of the specification's test suite and of fastavro.
    #[test]
    fn fingerprints_are_those_of_other_implementations() {
        let record = r#"{"type":"record","name":"x.Rec","fields":[{"name":"a","type":"long"}]}"#;
        let table = [
            (
                r#""null""#,
                "8a8f25cce724dd63",
                "9b41ef67651c18488a8b08bb67c75699",
                "f072cbec3bf8841871d4284230c5e983dc211a56837aed862487148f947d1a1f",
            ),
            (
                r#"{"type":"int"}"#,
                "8f5c393f1ad57572",
                "ef524ea1b91e73173d938ade36c1db32",
                "3f2b87a9fe7cc9b13835598c3981cd45e3e355309e5090aa0933d7becb6fba45",
            ),
            (
                record,
                "2d29c8eda3d41a22",
                "fe2d440616d85ce1ef4c04f42d4b400d",
                "0544f3193f6c47a25cc3d4551349238065a55132aeda1d7927897ba7aeadc29e",
            ),
        ];
        for (json, rabin, md5, sha256) in table {
            let schema = Schema::parse(json, &Limits::default()).unwrap();
            assert_eq!(hex(&schema.fingerprint(Fingerprint::Rabin)), rabin, "{json}");
            assert_eq!(hex(&schema.fingerprint(Fingerprint::Md5)), md5, "{json}");
            assert_eq!(hex(&schema.fingerprint(Fingerprint::Sha256)), sha256, "{json}");
        }
        assert_eq!(rabin(b"\"null\""), 7_195_948_357_588_979_594);
    }
}
