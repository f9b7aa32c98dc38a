//! What guided fuzzing starts from.

use std::path::Path;

use crate::choices::Choices;
use crate::container::{self, CODECS};
use crate::seeds::{Seed, make};
use crate::values::{encode, value};
use crate::{naive, schemas, targets};

/// Some rows without a file around them: their schema's number, how many they are, and their bytes.
pub(crate) fn rows(choices: &mut Choices) -> (u8, u8, Vec<u8>) {
    let number = if choices.one_in(2) { 0 } else { choices.word() as u8 };
    let schema = naive::Schema::parse(&serde_json::from_str(&targets::numbered_schema(number)).unwrap());
    let (count, mut data) = (choices.below(5) as u8, Vec::new());
    for _ in 0..count {
        let row = value(&schema, &schema.root, choices, 0);
        encode(&schema, &schema.root, &row, choices, &mut data);
    }
    (number, count, data)
}

/// Mostly without compression: what is guided sees little of codecs.
fn file(choices: &mut Choices) -> Seed {
    let number = if choices.one_in(3) { 0 } else { choices.word() as u8 };
    let codec = if choices.one_in(4) { choices.pick(&CODECS) } else { "null" };
    let (blocks, most) = (1 + choices.below(5), choices.pick(&[1, 3]));
    make(&targets::numbered_schema(number), codec, blocks, most, choices)
}

#[test]
#[ignore = "writes into the directory that POLARS_AVRO_SEEDS names"]
fn write_seeds() {
    let to = std::env::var("POLARS_AVRO_SEEDS").unwrap();
    let write = |target: &str, number: u64, bytes: &[u8]| {
        let folder = Path::new(&to).join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(number.to_string()), bytes).unwrap();
    };
    for number in 0..200 {
        let choices = &mut Choices::Seed(number);
        let file = file(choices).bytes;
        write("header", number, &file);
        write("salvage", number, &file);
        let cuts: Vec<u8> =
            (0..targets::CUTS / 2).flat_map(|_| (choices.below(file.len()) as u16).to_le_bytes()).collect();
        write("splits", number, &[&cuts, &file[..]].concat());
        write("schema", number, schemas::schema(choices).to_string().as_bytes());
        let (schema, count, data) = rows(choices);
        write("decode", number, &[&[schema, count], &data[..]].concat());
        let data = vec![choices.word() as u8; choices.pick(&[1, 0, 2, 300, 70_000])];
        let codec = 1 + number as usize % (CODECS.len() - 1);
        write("block", number, &[&[codec as u8], &container::compress(CODECS[codec], &data)[..]].concat());
    }
}
