//! Valid files to damage.

use std::ops::Range;

use crate::choices::Choices;
use crate::container::{self, CODECS, Container};
use crate::expected::{self, Cell};
use crate::naive::Schema;
use crate::schemas;
use crate::values::{encode, value};

/// A file and what is in it.
pub(crate) struct Seed {
    pub(crate) json: String,
    pub(crate) codec: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) header: usize,
    /// Where each block stands, and its rows.
    pub(crate) blocks: Vec<(Range<usize>, Vec<Vec<Cell>>)>,
}

/// Every kind of type, and no row like another.
pub(crate) const PLAIN: &str = r#"{"type":"record","name":"Row","fields":[
    {"name":"n","type":"long"},{"name":"s","type":"string"},{"name":"b","type":"bytes"},{"name":"t","type":"boolean"},
    {"name":"i","type":["null","int"]},{"name":"d","type":"double"},{"name":"f","type":"float"},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B","C"]}},
    {"name":"x","type":{"type":"fixed","name":"F","size":3}},{"name":"a","type":{"type":"array","items":"int"}},
    {"name":"m","type":{"type":"map","values":"string"}},{"name":"u","type":["int","null","string"]},
    {"name":"r","type":{"type":"record","name":"In","fields":[{"name":"p","type":"int"},{"name":"q","type":"string"}]}}
]}"#;

/// The same file for the same number: a random schema or the plain one, any codec, a few blocks.
pub(crate) fn seed(number: u64) -> Seed {
    let choices = &mut Choices::Seed(number);
    let json = if choices.one_in(2) { schemas::schema(choices).to_string() } else { PLAIN.to_owned() };
    let codec = choices.pick(&CODECS);
    let most = choices.pick(&[1, 3, 9]);
    let blocks = 1 + choices.below(7);
    make(&json, codec, blocks, most, choices)
}

/// A file of this many blocks, each of up to `most` rows.
pub(crate) fn make(json: &str, codec: &'static str, blocks: usize, most: usize, choices: &mut Choices) -> Seed {
    let schema = Schema::parse(&serde_json::from_str(json).unwrap());
    let mut file = Container::new(json, codec);
    let (header, mut places) = (file.header().len(), Vec::new());
    let mut end = header;
    for _ in 0..blocks {
        let (mut data, rows) = (Vec::new(), choices.below(most + 1));
        for _ in 0..rows {
            let row = value(&schema, &schema.root, choices, 0);
            encode(&schema, &schema.root, &row, choices, &mut data);
        }
        file = file.block(rows as i64, data);
        let mut bytes = Vec::new();
        file.blocks.last().unwrap().build(&mut bytes);
        places.push((end..end + bytes.len(), rows));
        end += bytes.len();
    }
    let bytes = file.build();
    let (schema, values) = container::read(&bytes).unwrap();
    let mut rows = values.iter().map(|value| expected::row(&schema, value).unwrap());
    let blocks = places.into_iter().map(|(place, n)| (place, rows.by_ref().take(n).collect())).collect();
    Seed { json: json.to_owned(), codec, bytes, header, blocks }
}

impl Seed {
    /// Where its blocks begin.
    pub(crate) fn marks(&self) -> Vec<usize> {
        self.blocks.iter().map(|(place, _)| place.start).collect()
    }
}
