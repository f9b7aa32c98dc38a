use std::fmt::Write;

use super::*;
use crate::casts::Cast;
use crate::{Error, ErrorKind, FieldConflict, Limits};

fn parse(json: &str) -> Schema {
    Schema::parse(json, &Limits::default()).unwrap()
}

/// Formats a resolution on one line; types that are open already are `^`.
fn show(writer: &str, reader: &str) -> crate::Result<String> {
    let resolution = resolved(writer, reader, Evolution::default())?;
    let mut out = String::new();
    node(&resolution, resolution.root, &mut Vec::new(), &mut out);
    Ok(out)
}

/// Returns the resolution, or the first error for a reader of every column.
fn resolved(writer: &str, reader: &str, evolution: Evolution) -> crate::Result<Resolution> {
    let resolution = resolve(&parse(writer), &parse(reader), evolution)?;
    match resolution.extra.iter().chain(resolution.refused.iter().map(|(_, why)| why)).next() {
        Some(why) => Err(why.error()),
        None => Ok(resolution),
    }
}

type Types = (NodeId, NodeId, bool);

fn node(resolution: &Resolution, id: ResolvedId, open: &mut Vec<Types>, out: &mut String) {
    let Resolved { writer, reader, writer_is_reader, .. } = resolution.nodes[id.0 as usize];
    let types = (writer, reader, writer_is_reader);
    if open.contains(&types) {
        return out.push('^');
    }
    open.push(types);
    let mut list = |out: &mut String, items: Vec<(String, Option<ResolvedId>)>| {
        for (at, (label, child)) in items.into_iter().enumerate() {
            write!(out, "{}{label}", if at > 0 { ", " } else { "" }).unwrap();
            if let Some(child) = child {
                node(resolution, child, open, out);
            }
        }
    };
    match &resolution.nodes[id.0 as usize].wire {
        Wire::Array(child) => list(out, vec![("array ".into(), Some(*child))]),
        Wire::Map(child) => list(out, vec![("map ".into(), Some(*child))]),
        Wire::IntoUnion { branch, value } => list(out, vec![(format!("into {branch} "), Some(*value))]),
        Wire::Record { fields, defaults } => {
            out.push('{');
            let fields = fields.iter().map(|action| match action {
                FieldAction::Read { field, value } => (format!("{field}: "), Some(*value)),
                FieldAction::Skip(_) => ("skip".into(), None),
            });
            let defaults = defaults.iter().map(|(at, datum)| (format!("{at} = {:?}", datum.as_ref().unwrap()), None));
            list(out, fields.chain(defaults).collect());
            out.push('}');
        }
        Wire::Union(branches) => {
            out.push('[');
            let branches = branches.iter().map(|branch| match branch {
                Branch::Read { branch: None, value } => (String::new(), Some(*value)),
                Branch::Read { branch: Some(branch), value } => (format!("{branch}: "), Some(*value)),
                Branch::Null => ("null".into(), None),
                Branch::Skip(_) => ("skip".into(), None),
                Branch::Refuse(_) => ("refuse".into(), None),
            });
            list(out, branches.collect());
            out.push(']');
        }
        Wire::Enum(symbols) => {
            let symbols = symbols.iter().map(|symbol| symbol.as_ref().map_or("?".into(), ToString::to_string));
            write!(out, "enum {}", symbols.collect::<Vec<_>>().join(" ")).unwrap();
        }
        leaf => out.push_str(&format!("{leaf:?}").to_lowercase()),
    }
    open.pop();
}

const FLAT: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

#[test]
fn primitives_are_promoted_as_the_specification_says_and_not_otherwise() {
    let promoted = [
        ("int", vec!["int", "long", "float", "double"]),
        ("long", vec!["long", "float", "double"]),
        ("float", vec!["float", "double"]),
        ("bytes", vec!["bytes", "string"]),
        ("string", vec!["bytes", "string"]),
    ];
    for writer in FLAT {
        for reader in FLAT {
            let may =
                promoted.iter().find(|(from, _)| *from == writer).map_or(writer == reader, |p| p.1.contains(&reader));
            let shown = show(&format!("\"{writer}\""), &format!("\"{reader}\""));
            assert_eq!(shown.as_ref().is_ok_and(|shown| shown == writer), may, "{writer} {reader}");
            if !may {
                let message = format!("the writer's {writer} cannot be read as the reader's {reader}");
                assert!(shown.unwrap_err().to_string().starts_with(&message));
            }
        }
    }
}

#[test]
fn types_are_read_as_the_specification_says() {
    let fixed = |name: &str, more: &str| format!(r#"{{"type":"fixed","name":"{name}","size":4{more}}}"#);
    let symbols = |list: &str, more: &str| format!(r#"{{"type":"enum","name":"E","symbols":[{list}]{more}}}"#);
    let (abc, ca) = (symbols(r#""A","B","C""#, ""), symbols(r#""C","A""#, ""));
    let decimal = |p: u8, s: u8| format!(r#"{{"type":"bytes","logicalType":"decimal","precision":{p},"scale":{s}}}"#);
    let s = str::to_owned;
    let table = [
        (s(r#"{"type":"array","items":"int"}"#), s(r#"{"type":"array","items":"long"}"#), "array int"),
        (s(r#"{"type":"map","values":"int"}"#), s(r#"{"type":"map","values":["int"]}"#), "map into 0 int"),
        (fixed("F", ""), fixed("F", ""), "fixed(4)"),
        // Of two branches of one short name, neither is read as the other.
        (
            format!("[{},{}]", fixed("a.F", ""), fixed("b.F", "")),
            format!("[\"null\",{}]", fixed("a.F", "")),
            "[1: fixed(4), refuse]",
        ),
        (format!("[{},{}]", fixed("a.F", ""), fixed("b.F", "")), fixed("a.F", ""), "[fixed(4), refuse]"),
        (fixed("a.F", ""), fixed("b.F", ""), "fixed(4)"),
        (fixed("a.F", ""), fixed("b.G", r#","aliases":["a.F"]"#), "fixed(4)"),
        (fixed("a.F", ""), fixed("b.G", r#","aliases":["F"]"#), "fixed(4)"),
        (abc.clone(), ca.clone(), "enum 1 ? 0"),
        (abc, symbols(r#""C","A""#, r#","default":"A""#), "enum 1 1 0"),
        (decimal(4, 2), decimal(9, 2), "bytes"),
        (decimal(4, 2), s(r#""bytes""#), "bytes"),
        (s(r#""long""#), s(r#"{"type":"long","logicalType":"timestamp-micros"}"#), "long"),
        // Unions.
        (s(r#"["null","int"]"#), s(r#"["int","null"]"#), "[1: null, 0: int]"),
        (s(r#"["null","int"]"#), s(r#"["null","long","string"]"#), "[0: null, 1: int]"),
        (s(r#"["null","int"]"#), s(r#""int""#), "[refuse, int]"),
        (s(r#"["int","string"]"#), s(r#""double""#), "[int, refuse]"),
        (s(r#"["int","string"]"#), s(r#"["null","long"]"#), "[1: int, refuse]"),
        (s(r#""int""#), s(r#"["null","double","int"]"#), "into 2 int"),
        (s(r#""int""#), s(r#"["null","double","long"]"#), "into 1 int"),
        (s(r#""string""#), s(r#"["bytes"]"#), "into 0 string"),
        (
            format!("[{},\"int\"]", fixed("a.F", "")),
            format!("[\"long\",{}]", fixed("b.F", "")),
            "[1: fixed(4), 0: int]",
        ),
        (fixed("n.F", ""), format!("[{},{}]", fixed("m.F", ""), fixed("n.F", "")), "into 1 fixed(4)"),
        (
            fixed("n.F", ""),
            format!("[{},{}]", fixed("m.F", ""), fixed("n.G", r#","aliases":["n.F"]"#)),
            "into 1 fixed(4)",
        ),
    ];
    for (writer, reader, expected) in table {
        assert_eq!(show(&writer, &reader).unwrap(), expected, "{writer} {reader}");
    }
}

fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#)
}

#[test]
fn fields_match_by_name_then_by_alias_and_else_by_default() {
    let table = [
        (
            r#"{"name":"a","type":"int"},{"name":"b","type":"string"}"#,
            r#"{"name":"b","type":"string"},{"name":"a","type":"long"}"#,
            "{1: int, 0: string}",
        ),
        (
            r#"{"name":"a","type":"int"},{"name":"b","type":"string"}"#,
            r#"{"name":"b","type":"string"}"#,
            "{skip, 0: string}",
        ),
        (r#"{"name":"a","type":"int"}"#, r#"{"name":"z","aliases":["y","a"],"type":"int"}"#, "{0: int}"),
        // A field of the same name takes precedence over one with the alias.
        (
            r#"{"name":"a","type":"int"}"#,
            r#"{"name":"z","aliases":["a"],"type":"int","default":1},{"name":"a","type":"int"}"#,
            "{1: int, 0 = [2]}",
        ),
        (
            "",
            r#"{"name":"a","type":["null","int"],"default":null},{"name":"b","type":"string","default":"x"}"#,
            "{0 = [0], 1 = [2, 120]}",
        ),
        // A bad default is no error if it is not needed.
        (r#"{"name":"a","type":"int"}"#, r#"{"name":"a","type":"int","default":"x"}"#, "{0: int}"),
        (
            r#"{"name":"a","type":["null","R"]}"#,
            r#"{"name":"a","type":["R","null"]},{"name":"l","type":{"type":"array","items":"R"},"default":[]}"#,
            "{0: [1: null, 0: ^], 1 = [0]}",
        ),
    ];
    for (writer, reader, expected) in table {
        assert_eq!(show(&record(writer), &record(reader)).unwrap(), expected, "{writer} {reader}");
    }
}

fn failure(writer: &str, reader: &str) -> Error {
    let error = show(writer, reader).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
    error
}

#[test]
fn what_cannot_be_read_is_an_error_that_says_where_and_what() {
    let field = |inner: &str| record(&format!(r#"{{"name":"a","type":{inner}}}"#));
    let items = |inner: &str| format!(r#"{{"type":"array","items":{inner}}}"#);
    let named = |name: &str, inner: &str| {
        format!(r#"{{"type":"record","name":"{name}","fields":[{{"name":"b","type":{inner}}}]}}"#)
    };
    let s = str::to_owned;
    let table = [
        (field(r#""int""#), field(r#""string""#), "field `a`: the writer's int cannot be read as the reader's string"),
        (
            field(&items(&named("S", r#"{"type":"map","values":"double"}"#))),
            field(&items(&named("S", r#"{"type":"map","values":"int"}"#))),
            "field `a[].b{}`: the writer's double cannot be read as the reader's int",
        ),
        (
            field(&format!(r#"["null",{}]"#, named("S", r#""int""#))),
            field(&named("S", r#""null""#)),
            "field `a.b`: the writer's int cannot be read as the reader's null",
        ),
        (
            field(r#"["null","int"]"#),
            field(r#""boolean""#),
            "field `a`: the writer's union [null, int] cannot be read as the reader's boolean",
        ),
        (
            s(r#"["null",{"type":"int","logicalType":"date"}]"#),
            s(r#"{"type":"int","logicalType":"time-millis"}"#),
            "the writer's int (date) cannot be read as the reader's int (time-millis)",
        ),
        (
            s(r#"["null","int"]"#),
            s(r#"["boolean","string"]"#),
            "the writer's union [null, int] cannot be read as the reader's union [boolean, string]",
        ),
        (
            field(r#""int""#),
            record(r#"{"name":"b","type":"int"}"#),
            "field `b`: the writer did not write this field and the reader has no default for it",
        ),
        (
            field(r#""int""#),
            record(r#"{"name":"b","type":["string","null"],"default":3}"#),
            "field `b`: the reader's default is not valid: `3` is of no branch of the union",
        ),
        (
            named("x.S", r#""int""#),
            named("x.T", r#""int""#),
            "the writer's record x.S cannot be read as the reader's record x.T: neither its name nor its aliases agree; \
             the reader's alias \"x.S\" would match",
        ),
        (
            s(r#"{"type":"fixed","name":"F","size":4}"#),
            s(r#"{"type":"fixed","name":"F","size":5}"#),
            "the writer's fixed F of 4 bytes cannot be read as the reader's fixed F of 5 bytes",
        ),
        (
            s(r#"{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}"#),
            s(r#"{"type":"bytes","logicalType":"decimal","precision":9,"scale":3}"#),
            "the writer's bytes (decimal(9, 2)) cannot be read as the reader's bytes (decimal(9, 3))",
        ),
    ];
    for (writer, reader, expected) in table {
        let message = failure(&writer, &reader).to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn a_branch_whose_type_fails_far_below_is_refused_with_the_reason() {
    let schema = |inner: &str| {
        format!(
            r#"["null",{{"type":"record","name":"R","fields":[{{"name":"up","type":["null","R"]}},
                {{"name":"a","type":{{"type":"array","items":"{inner}"}}}}]}}]"#
        )
    };
    let resolution = resolve(&parse(&schema("string")), &parse(&schema("int")), Evolution::default()).unwrap();
    let Wire::Union(branches) = &resolution.nodes[resolution.root.0 as usize].wire else { panic!("no union") };
    let Branch::Refuse(message) = &branches[1] else { panic!("not refused") };
    assert_eq!(message.text, "field `a[]`: the writer's string cannot be read as the reader's int");
    assert_eq!(resolution.own, 2, "what is refused is left out");
}

#[test]
fn a_schema_is_read_as_itself_whatever_its_defaults_are() {
    let json = record(
        r#"{"name":"a","type":["null","int"],"default":7.5},
           {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]},"default":"C"},
           {"name":"next","type":["R","null"],"default":null}"#,
    );
    let schema = parse(&json);
    let resolution = resolve(&schema, &schema, Evolution::default()).unwrap();
    assert_eq!(resolution.nodes.len(), schema.len());
    let mut out = String::new();
    node(&resolution, resolution.root, &mut Vec::new(), &mut out);
    assert_eq!(out, "{0: [0: null, 1: int], 1: enum 0 1, 2: [0: ^, 1: null]}");
    assert!(resolution.nodes.iter().all(|node| node.writer == node.reader && !node.writer_is_reader));
    assert_eq!(show(&json, &json).unwrap(), out, "an equal schema is read alike");
}

#[test]
fn every_type_of_the_reader_is_there_as_itself() {
    let (writer, reader) = (parse(&record("")), parse(&record(r#"{"name":"a","type":["int","null"],"default":1}"#)));
    let resolution = resolve(&writer, &reader, Evolution::default()).unwrap();
    let marks: Vec<_> = resolution.nodes.iter().map(|node| node.writer_is_reader).collect();
    assert_eq!(marks, [false, true, true, true, true]);
    for id in reader.ids() {
        let node = &resolution.nodes[resolution.own(id).0 as usize];
        assert_eq!((node.writer, node.reader), (id, id));
    }
}

/// References nest types as deep as a schema is long, which must not overflow the stack.
#[test]
fn a_long_chain_of_references_is_resolved() {
    let chain = |last: &str| {
        let mut json = format!(r#"{{"name":"f0","type":{{"type":"record","name":"R0","fields":[{last}]}}}}"#);
        for at in 1..20_000 {
            let below = at - 1;
            write!(
                json,
                r#",{{"name":"f{at}","type":{{"type":"record","name":"R{at}","fields":[{{"name":"d","type":"R{below}"}}]}}}}"#
            )
            .unwrap();
        }
        parse(&format!(
            r#"{{"type":"record","name":"Top","fields":[{{"name":"all","type":["null",{{"type":"record","name":"All","fields":[{json}]}}]}},{{"name":"deep","type":"R19999"}}]}}"#
        ))
    };
    let (int, long) = (chain(r#"{"name":"x","type":"int"}"#), chain(r#"{"name":"x","type":"long"}"#));
    let resolution = resolve(&int, &long, Evolution::default()).unwrap();
    assert_eq!((resolution.own, resolution.refused.len()), (20_000 + 5, 0));
    let resolution = resolve(&long, &int, Evolution::default()).unwrap();
    assert_eq!(resolution.refused.len(), 1);
    let error = resolution.refused[0].1.error();
    assert!(error.position().path.as_deref().unwrap().ends_with(".."), "{error}");
}

fn by_columns() -> Evolution {
    let mut evolution = Evolution { by_columns: true, ..Evolution::default() };
    (evolution.extra_columns, evolution.extra_fields) = (Extra::Refuse, Extra::Refuse);
    evolution
}

#[test]
fn by_columns_names_do_not_matter_and_differences_are_errors_before_any_value() {
    let named =
        |name: &str, fields: &str| format!(r#"["null",{{"type":"record","name":"{name}","fields":[{fields}]}}]"#);
    let (x, y) = (r#"{"name":"x","type":"int"}"#, r#"{"name":"y","type":"int"}"#);
    let inside = [r#"["null","int"]"#, r#"{"type":"array","items":IN}"#, r#"{"type":"map","values":["null",IN]}"#];
    for around in inside.map(|text| if text.contains("IN") { text.to_owned() } else { "IN".to_owned() }) {
        let (around_one, around_other) = (&around, &around);
        let fix = |around: &str, inner: &str| {
            // Unions cannot be nested, so only the inner branch is inserted into a union.
            let inner =
                if around.contains("[\"null\",IN]") { inner[8..inner.len() - 1].to_owned() } else { inner.to_owned() };
            record(&format!(r#"{{"name":"v","type":{}}}"#, around.replace("IN", &inner)))
        };
        let one = fix(around_one, &named("r1", x));
        resolved(&fix(around_other, &named("r2", x)), &one, by_columns()).unwrap();
        for fields in [format!("{x},{y}"), String::new(), x.replace("int", "string")] {
            let error = resolved(&fix(around_other, &named("r2", &fields)), &one, by_columns()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Schema, "{error}");
        }
    }
}

#[test]
fn by_columns_only_what_loses_nothing_is_promoted() {
    let micros = r#"{"type":"long","logicalType":"timestamp-micros"}"#;
    let millis = r#"{"type":"long","logicalType":"timestamp-millis"}"#;
    let enums = [r#"{"type":"enum","name":"E","symbols":["A"]}"#, r#"{"type":"enum","name":"F","symbols":["B","A"]}"#];
    let table = [
        ("\"int\"", "\"long\"", None),
        ("\"int\"", "\"double\"", None),
        ("\"float\"", "\"double\"", None),
        ("\"null\"", "\"double\"", None),
        (enums[0], enums[1], None),
        ("\"int\"", "\"float\"", Some(Cast::IntegerToFloat)),
        ("\"long\"", "\"double\"", Some(Cast::IntegerToFloat)),
        ("\"double\"", "\"float\"", Some(Cast::FloatDowncast)),
        ("\"string\"", "\"bytes\"", Some(Cast::StringToBytes)),
        (enums[0], "\"string\"", Some(Cast::EnumToString)),
        (millis, micros, Some(Cast::MillisecondUpcast)),
        (micros, millis, Some(Cast::MicrosecondDowncast)),
    ];
    for (writer, reader, cast) in table {
        for (writer, reader) in [
            (writer.to_owned(), reader.to_owned()),
            (format!(r#"["null",{writer}]"#).replace(r#""null","null""#, r#""null""#), format!(r#"[{reader},"null"]"#)),
        ] {
            let found = resolved(&writer, &reader, by_columns());
            assert_eq!(found.is_ok(), cast.is_none(), "{writer} {reader}");
            let conflict = found.err().and_then(|error| error.field_conflict());
            // No option allows strings as bytes: the union of files needs them.
            let named = cast.filter(|&cast| cast != Cast::StringToBytes);
            assert_eq!(conflict, named.map(FieldConflict::Cast), "{writer} {reader}");
            let casts = cast.into_iter().collect();
            resolved(&writer, &reader, Evolution { casts, ..by_columns() }).unwrap();
        }
    }
    for (writer, reader) in
        [("\"long\"", "\"int\""), ("\"bytes\"", "\"string\""), ("\"long\"", micros), (enums[1], enums[0])]
    {
        resolved(writer, reader, by_columns()).unwrap_err();
    }
}

#[test]
fn exact_columns_are_not_promoted_without_a_cast() {
    let decimal =
        |digits| format!(r#"{{"type": "bytes", "logicalType": "decimal", "precision": {digits}, "scale": 2}}"#);
    let symbols = |symbols| format!(r#"{{"type": "enum", "name": "E", "symbols": [{symbols}]}}"#);
    let dtype = |kind, name| format!(r#"{{"type": "{kind}", "polars.dtype": "{name}"}}"#);
    let timestamp = r#"{"type": "long", "logicalType": "timestamp-micros"}"#;
    let zone =
        |name| timestamp.replace('}', &format!(r#", "polars.dtype": "Datetime", "polars.time_zone": "{name}"}}"#));
    let record = |fields: &str| format!(r#"{{"type": "record", "name": "R", "fields": [{fields}]}}"#);
    let inner = record(r#"{"name": "x", "type": "int", "default": 7}"#);
    let outer = |inner: &str| record(&format!(r#"{{"name": "r", "type": {inner}}}"#));
    let table = [
        ("\"int\"".to_owned(), "\"long\"".to_owned(), Some(Cast::IntegerUpcast)),
        (dtype("int", "Int8"), "\"int\"".to_owned(), Some(Cast::IntegerUpcast)),
        ("\"int\"".to_owned(), "\"double\"".to_owned(), Some(Cast::IntegerToFloat)),
        ("\"float\"".to_owned(), "\"double\"".to_owned(), Some(Cast::FloatUpcast)),
        (decimal(8), decimal(10), Some(Cast::IntegerUpcast)),
        (zone("Asia/Tokyo"), timestamp.to_owned(), Some(Cast::ConvertTimezone)),
        (zone("Asia/Tokyo"), zone("Asia/Seoul"), Some(Cast::ConvertTimezone)),
        (symbols("\"a\""), symbols("\"a\", \"b\""), None),
        (outer(&record("").replace("\"R\"", "\"Q\"")), outer(&inner.replace("\"R\"", "\"Q\"")), None),
    ];
    for (writer, reader, cast) in table {
        resolved(&writer, &reader, by_columns()).unwrap();
        let exact = by_columns().with_exact(true);
        let error = resolved(&writer, &reader, exact).unwrap_err();
        resolved(&reader, &reader, exact).unwrap();
        if let Some(cast) = cast {
            assert_eq!(error.field_conflict(), Some(FieldConflict::Cast(cast)), "{writer} {reader}");
            resolved(&writer, &reader, exact.with_casts([cast])).unwrap();
        }
    }
}
