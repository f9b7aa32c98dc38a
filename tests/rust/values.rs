//! Random values of a schema, their bytes, and whole files of them.

use num_bigint::BigInt;

use crate::choices::Choices;
use crate::container::{Container, put_bytes, put_long};
use crate::logical::{Logical, logical};
use crate::naive::{Schema, Shape, Type, Value};

/// A value of `ty`. Deep inside, lists are empty and unions end.
pub(crate) fn value(schema: &Schema, ty: &Type, choices: &mut Choices, depth: usize) -> Value {
    let ty = schema.target(ty);
    if let Some(value) = logical(ty).and_then(|logical| logical_value(logical, ty, choices)) {
        return value;
    }
    match &ty.shape {
        Shape::Null => Value::Null,
        Shape::Boolean => Value::Boolean(choices.below(2) == 1),
        Shape::Int => Value::Int(integer(choices) as i32),
        Shape::Long => Value::Long(integer(choices)),
        Shape::Float => Value::Float(match choices.below(3) {
            0 => choices.pick(&[0.0, 1.5, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE, 0.1]),
            _ => f32::from_bits(choices.word() as u32),
        }),
        Shape::Double => Value::Double(match choices.below(3) {
            0 => choices.pick(&[0.0, 1.5, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 0.1]),
            _ => f64::from_bits(choices.word()),
        }),
        Shape::Bytes => Value::Bytes(bytes(choices)),
        Shape::String => Value::String(text(choices)),
        Shape::Fixed { size, .. } => Value::Fixed((0..*size).map(|_| choices.word() as u8).collect()),
        Shape::Enum { symbols, .. } => Value::Enum(choices.below(symbols.len())),
        Shape::Array(items) => {
            let len = length(choices, depth);
            Value::Array((0..len).map(|_| value(schema, items, choices, depth + 1)).collect())
        }
        Shape::Map(of) => {
            let key = |choices: &mut Choices| match choices.below(3) {
                0 => choices.pick(&["", "a", "b", "é"]).to_owned(),
                _ => text(choices),
            };
            let len = length(choices, depth);
            Value::Map((0..len).map(|_| (key(choices), value(schema, of, choices, depth + 1))).collect())
        }
        Shape::Union(branches) => {
            let branch = if depth > 5 { 0 } else { choices.below(branches.len()) };
            Value::Union(branch, Box::new(value(schema, &branches[branch], choices, depth + 1)))
        }
        Shape::Record { fields, .. } => {
            Value::Record(fields.iter().map(|(_, ty)| value(schema, ty, choices, depth + 1)).collect())
        }
        Shape::Reference(name) => panic!("{name} is a reference to a reference"),
    }
}

fn length(choices: &mut Choices, depth: usize) -> usize {
    if depth > 5 { 0 } else { choices.pick(&[0, 1, 2, 3, if depth < 2 { 9 } else { 2 }]) }
}

fn integer(choices: &mut Choices) -> i64 {
    match choices.below(4) {
        0 => choices.pick(&[0, -1, 63, 64, -64, -65, i64::MAX, i64::MIN, i64::from(i32::MIN), i64::from(i32::MAX)]),
        1 => choices.below(300) as i64 - 150,
        _ => (choices.word() as i64) >> choices.below(64),
    }
}

fn bytes(choices: &mut Choices) -> Vec<u8> {
    let len = choices.pick(&[0, 1, 4, 11, 12, 13, 30, 300]);
    (0..len).map(|_| choices.word() as u8).collect()
}

fn text(choices: &mut Choices) -> String {
    let len = choices.pick(&[0, 1, 4, 11, 12, 13, 30, 300]);
    let letters = choices.pick(&["a", "abcdefg ", "aé中🦀\"\\\n\0"]);
    let letters: Vec<char> = letters.chars().collect();
    (0..len).map(|_| choices.pick(&letters)).collect()
}

/// A value that is valid for the logical type; `None` where every value of the base type is.
fn logical_value(logical: Logical, ty: &Type, choices: &mut Choices) -> Option<Value> {
    Some(match logical {
        Logical::Date | Logical::Timestamp(..) | Logical::Duration => return None,
        Logical::Time(nanos) => {
            let units = choices.word() as i64 & i64::MAX;
            let units = units % (86_400_000_000_000 / nanos);
            if matches!(ty.shape, Shape::Int) { Value::Int(units as i32) } else { Value::Long(units) }
        }
        Logical::Uuid if matches!(ty.shape, Shape::Fixed { .. }) => return None,
        Logical::Uuid => {
            let digit = |choices: &mut Choices| choices.pick(&['0', '7', 'a', 'F', 'c', 'D']);
            let letter = |at| if [8, 13, 18, 23].contains(&at) { '-' } else { digit(choices) };
            Value::String((0..36).map(letter).collect())
        }
        Logical::Decimal { precision, .. } => {
            let bytes = number(choices, precision).to_signed_bytes_be();
            match ty.shape {
                Shape::Fixed { size, .. } => Value::Fixed(extended(&bytes, size)),
                _ => Value::Bytes(maybe_longer(choices, &bytes)),
            }
        }
        Logical::BigDecimal => {
            let bytes = number(choices, 45).to_signed_bytes_be();
            let mut value = Vec::new();
            put_bytes(&mut value, &maybe_longer(choices, &bytes));
            put_long(&mut value, choices.below(50) as i64);
            Value::Bytes(value)
        }
    })
}

/// A number of at most so many digits.
fn number(choices: &mut Choices, digits: usize) -> BigInt {
    let bound = BigInt::from(10).pow(digits as u32);
    let magnitude = match choices.below(4) {
        0 => BigInt::from(0),
        1 => bound - 1,
        2 => BigInt::from(choices.word() % 1000) % bound,
        _ => {
            let bytes: Vec<u8> = (0..30).map(|_| choices.word() as u8).collect();
            BigInt::from_bytes_be(num_bigint::Sign::Plus, &bytes) % bound
        }
    };
    if choices.below(2) == 1 { -magnitude } else { magnitude }
}

fn extended(bytes: &[u8], size: usize) -> Vec<u8> {
    let sign = if bytes[0] >= 0x80 { 0xff } else { 0 };
    let mut out = vec![sign; size - bytes.len()];
    out.extend(bytes);
    out
}

fn maybe_longer(choices: &mut Choices, bytes: &[u8]) -> Vec<u8> {
    match choices.below(6) {
        0 => extended(bytes, bytes.len() + 1 + choices.below(24)),
        1 if bytes == [0] => Vec::new(),
        _ => bytes.to_vec(),
    }
}

/// Writes a value; arrays and maps are cut into item blocks at random, some with their size in bytes.
pub(crate) fn encode(schema: &Schema, ty: &Type, value: &Value, choices: &mut Choices, out: &mut Vec<u8>) {
    let ty = schema.target(ty);
    match (&ty.shape, value) {
        (_, Value::Null) => {}
        (_, Value::Boolean(v)) => out.push(u8::from(*v)),
        (_, Value::Int(v)) => put_long(out, i64::from(*v)),
        (_, Value::Long(v)) => put_long(out, *v),
        (_, Value::Float(v)) => out.extend(v.to_le_bytes()),
        (_, Value::Double(v)) => out.extend(v.to_le_bytes()),
        (_, Value::Bytes(v)) => put_bytes(out, v),
        (_, Value::String(v)) => put_bytes(out, v.as_bytes()),
        (_, Value::Fixed(v)) => out.extend(v),
        (_, Value::Enum(v)) => put_long(out, *v as i64),
        (Shape::Array(of), Value::Array(items)) => {
            item_blocks(items, choices, out, |item, choices, out| encode(schema, of, item, choices, out));
        }
        (Shape::Map(of), Value::Map(entries)) => {
            item_blocks(entries, choices, out, |(key, value), choices, out| {
                put_bytes(out, key.as_bytes());
                encode(schema, of, value, choices, out);
            });
        }
        (Shape::Union(branches), Value::Union(branch, value)) => {
            put_long(out, *branch as i64);
            encode(schema, &branches[*branch], value, choices, out);
        }
        (Shape::Record { fields, .. }, Value::Record(values)) => {
            fields.iter().zip(values).for_each(|((_, ty), value)| encode(schema, ty, value, choices, out));
        }
        (shape, value) => panic!("{value:?} is no {shape:?}"),
    }
}

fn item_blocks<T>(
    mut items: &[T],
    choices: &mut Choices,
    out: &mut Vec<u8>,
    item: impl Fn(&T, &mut Choices, &mut Vec<u8>),
) {
    while !items.is_empty() {
        let count = if choices.one_in(3) { 1 + choices.below(items.len()) } else { items.len() };
        let (block, rest) = items.split_at(count);
        let mut data = Vec::new();
        for one in block {
            item(one, choices, &mut data);
        }
        if choices.one_in(3) {
            put_long(out, -(count as i64));
            put_long(out, data.len() as i64);
        } else {
            put_long(out, count as i64);
        }
        out.extend(data);
        items = rest;
    }
    put_long(out, 0);
}

/// A file of `datums`, cut into blocks at random, some of them of no records.
pub(crate) fn container(schema: &str, codec: &str, datums: &[Vec<u8>], choices: &mut Choices) -> Vec<u8> {
    let mut file = Container::new(schema, codec);
    if codec == "null" && choices.one_in(3) {
        file.metadata.pop();
    }
    file.metadata.extend((0..choices.below(3)).map(|at| (format!("note{at}"), bytes(choices))));
    file.sync = std::array::from_fn(|_| choices.word() as u8);
    let largest = choices.pick(&[1, 3, 10, 1000, 1 << 30]);
    let mut rest = datums;
    while !rest.is_empty() || choices.one_in(4) {
        let count = choices.below(largest + 1).min(rest.len());
        let (block, after) = rest.split_at(count);
        file = file.block(count as i64, block.concat());
        rest = after;
    }
    file.build()
}

#[test]
fn what_is_written_is_read_by_the_naive_decoder() {
    for seed in 0..400 {
        let mut choices = Choices::Seed(seed);
        let json = crate::schemas::schema(&mut choices);
        let schema = Schema::parse(&json);
        let rows: Vec<_> = (0..choices.below(20)).map(|_| value(&schema, &schema.root, &mut choices, 0)).collect();
        let mut datums = Vec::new();
        for row in &rows {
            let mut datum = Vec::new();
            encode(&schema, &schema.root, row, &mut choices, &mut datum);
            datums.push(datum);
        }
        let codec = choices.pick(&crate::container::CODECS);
        let file = container(&json.to_string(), codec, &datums, &mut choices);
        let (schema, read) = crate::container::read(&file).unwrap_or_else(|error| panic!("{error}\n{json:#}"));
        assert_eq!(format!("{read:?}"), format!("{rows:?}"));
        let columns = crate::expected::columns(&schema).len();
        assert!(read.iter().all(|value| crate::expected::row(&schema, value).unwrap().len() == columns));
    }
}
