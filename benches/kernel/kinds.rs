//! What stands in a column: types and the values of them, as data.

use crate::choices::Choices;
use crate::container::{put_bytes, put_long};

/// A kind of column: one branch, or the branches of a union.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) branches: &'static [Branch],
}

/// A type as JSON or by its bare name, and how a value of it is written. `NAME` becomes a name of its own.
pub(crate) struct Branch {
    pub(crate) schema: &'static str,
    pub(crate) write: fn(&mut Choices, &mut Vec<u8>),
}

macro_rules! kinds {
    ($($name:literal: $($schema:literal => $write:expr),+;)+) => {
        [$(Kind { name: $name, branches: &[$(Branch { schema: $schema, write: $write }),+] }),+]
    };
}

pub(crate) static KINDS: [Kind; 27] = kinds! {
    "null": "null" => |_, _| {};
    "boolean": "boolean" => boolean;
    "int": "int" => |c, out| put_long(out, c.below(1_000_000) as i64);
    "long": "long" => long;
    "float": "float" => |c, out| out.extend((unit(c) as f32).to_le_bytes());
    "double": "double" => double;
    "bytes": "bytes" => |c, out| raw::<0, 32>(c, out);
    "string, short": "string" => short;
    "string, long": "string" => |c, out| text::<13, 60>(c, out);
    "string, not ASCII": "string" => unicode;
    "fixed": r#"{"type": "fixed", "name": "NAME", "size": 12}"# => fixed::<12>;
    "enum": r#"{"type": "enum", "name": "NAME", "symbols": ["A", "B", "C", "D", "E"]}"#
        => |c, out| put_long(out, c.below(5) as i64);
    "decimal, bytes": r#"{"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}"# => decimal;
    "decimal, fixed": r#"{"type": "fixed", "name": "NAME", "size": 16, "logicalType": "decimal", "precision": 38}"#
        => |c, out| out.extend(i128::from(varied(c)).to_be_bytes());
    "uuid, string": r#"{"type": "string", "logicalType": "uuid"}"# => uuid;
    "uuid, fixed": r#"{"type": "fixed", "name": "NAME", "size": 16, "logicalType": "uuid"}"# => fixed::<16>;
    "date": r#"{"type": "int", "logicalType": "date"}"# => |c, out| put_long(out, c.below(30_000) as i64);
    "time": r#"{"type": "long", "logicalType": "time-micros"}"#
        => |c, out| put_long(out, c.below(86_400_000_000) as i64);
    "timestamp": r#"{"type": "long", "logicalType": "timestamp-micros"}"#
        => |c, out| put_long(out, 1_500_000_000_000_000 + c.below(1 << 48) as i64);
    "duration": r#"{"type": "fixed", "name": "NAME", "size": 12, "logicalType": "duration"}"# => fixed::<12>;
    "array": r#"{"type": "array", "items": "long"}"# => |c, out| items(c, out, 8, |c, out, _| long(c, out));
    "array of strings": r#"{"type": "array", "items": "string"}"#
        => |c, out| items(c, out, 8, |c, out, _| short(c, out));
    "map": r#"{"type": "map", "values": "long"}"# => |c, out| items(c, out, 5, |c, out, i| {
        put_bytes(out, format!("key_{i}").as_bytes());
        long(c, out);
    });
    "record": r#"{"type": "record", "name": "NAME", "fields": [
        {"name": "a", "type": "long"}, {"name": "b", "type": "double"}, {"name": "c", "type": "string"}]}"#
        => |c, out| { long(c, out); double(c, out); short(c, out); };
    "record, nullable field": r#"{"type": "record", "name": "NAME", "fields": [
        {"name": "a", "type": ["null", "long"]}]}"# => |c, out| optional(c, out, long);
    "union": "long" => long, "string" => short;
    "recursive": r#"{"type": "record", "name": "NAME", "fields": [
        {"name": "value", "type": "long"}, {"name": "next", "type": ["null", "NAME"]}]}"# => chain;
};

/// The columns of [`KINDS`] that the plainest of files has.
pub(crate) const SIMPLE: [&str; 6] = ["long", "string, short", "int", "float", "double", "boolean"];

pub(crate) static NESTED: [Kind; 7] = kinds! {
    "id": "long" => long;
    "name": "string" => short;
    "address": r#"{"type": "record", "name": "NAME", "fields": [
        {"name": "street", "type": "string"}, {"name": "city", "type": "string"}, {"name": "zip", "type": "string"},
        {"name": "coordinates", "type": ["null", {"type": "record", "name": "NAME_coordinates", "fields": [
            {"name": "lat", "type": "double"}, {"name": "lon", "type": "double"}]}]}]}"# => address;
    "contacts": r#"{"type": "array", "items": {"type": "record", "name": "NAME", "fields": [
        {"name": "type", "type": "string"}, {"name": "value", "type": "string"},
        {"name": "primary", "type": "boolean"}]}}"# => |c, out| items(c, out, 4, |c, out, _| contact(c, out));
    "tags": r#"{"type": "array", "items": "string"}"# => |c, out| items(c, out, 6, |c, out, _| short(c, out));
    "metadata": r#"{"type": "map", "values": "string"}"# => |c, out| items(c, out, 4, |c, out, i| {
        put_bytes(out, format!("key_{i}").as_bytes());
        short(c, out);
    });
    "score": "double" => double;
};

/// A number whose size in bytes varies as that of numbers in files does.
fn varied(c: &mut Choices) -> i64 {
    let shift = 8 + c.below(56);
    (c.word() as i64) >> shift
}

/// A number from 0 to 1.
fn unit(c: &mut Choices) -> f64 {
    c.word() as f64 / u64::MAX as f64
}

fn boolean(c: &mut Choices, out: &mut Vec<u8>) {
    out.push(u8::from(c.one_in(2)));
}

fn long(c: &mut Choices, out: &mut Vec<u8>) {
    put_long(out, varied(c));
}

fn double(c: &mut Choices, out: &mut Vec<u8>) {
    out.extend(unit(c).to_le_bytes());
}

/// Strings that fit into a view.
fn short(c: &mut Choices, out: &mut Vec<u8>) {
    text::<1, 12>(c, out);
}

pub(crate) fn text<const MIN: usize, const MAX: usize>(c: &mut Choices, out: &mut Vec<u8>) {
    let len = MIN + c.below(MAX - MIN + 1);
    put_long(out, len as i64);
    out.extend((0..len).map(|_| c.pick(b"abcdefghijklmnopqrstuvwxyz 0123456789-_")));
}

fn unicode(c: &mut Choices, out: &mut Vec<u8>) {
    let len = 1 + c.below(20);
    let text: String = (0..len).map(|_| c.pick(&['a', 'e', 's', ' ', 'ä', 'é', 'ß', '中'])).collect();
    put_bytes(out, text.as_bytes());
}

fn raw<const MIN: usize, const MAX: usize>(c: &mut Choices, out: &mut Vec<u8>) {
    let len = MIN + c.below(MAX - MIN + 1);
    put_long(out, len as i64);
    out.extend((0..len).map(|_| c.word() as u8));
}

fn fixed<const SIZE: usize>(c: &mut Choices, out: &mut Vec<u8>) {
    out.extend((0..SIZE).map(|_| c.word() as u8));
}

/// As few bytes as hold the number.
fn decimal(c: &mut Choices, out: &mut Vec<u8>) {
    let value = varied(c);
    let bytes = value.to_be_bytes();
    let redundant = value.unsigned_abs().leading_zeros().saturating_sub(1) / 8;
    put_bytes(out, &bytes[(redundant as usize).min(7)..]);
}

fn uuid(c: &mut Choices, out: &mut Vec<u8>) {
    let (high, low) = (c.word(), c.word());
    let (a, b, d) = (high >> 32, (high >> 16) & 0xffff, high & 0xffff);
    let text = format!("{a:08x}-{b:04x}-{d:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff);
    put_bytes(out, text.as_bytes());
}

/// Fewer than `limit` items in one item block.
fn items(c: &mut Choices, out: &mut Vec<u8>, limit: usize, mut item: impl FnMut(&mut Choices, &mut Vec<u8>, usize)) {
    let len = c.below(limit);
    if len > 0 {
        put_long(out, len as i64);
        (0..len).for_each(|i| item(c, out, i));
    }
    put_long(out, 0);
}

/// A union of null and another type; null one time in five.
fn optional(c: &mut Choices, out: &mut Vec<u8>, write: fn(&mut Choices, &mut Vec<u8>)) {
    let null = c.one_in(5);
    put_long(out, i64::from(!null));
    if !null {
        write(c, out);
    }
}

/// A linked list of up to four numbers.
fn chain(c: &mut Choices, out: &mut Vec<u8>) {
    long(c, out);
    for _ in 0..c.below(4) {
        put_long(out, 1);
        long(c, out);
    }
    put_long(out, 0);
}

fn address(c: &mut Choices, out: &mut Vec<u8>) {
    text::<8, 20>(c, out);
    short(c, out);
    text::<5, 5>(c, out);
    optional(c, out, |c, out| {
        double(c, out);
        double(c, out);
    });
}

fn contact(c: &mut Choices, out: &mut Vec<u8>) {
    put_bytes(out, b"email");
    text::<13, 30>(c, out);
    boolean(c, out);
}
