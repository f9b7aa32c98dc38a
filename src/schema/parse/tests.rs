use super::*;
use crate::ErrorKind;

fn parse(json: &str) -> Result<Schema> {
    Schema::parse(json, &Limits::default())
}

#[test]
fn names_are_found_in_the_enclosing_namespace_first() {
    let json = r#"{"type":"record","name":"n.Top","fields":[
        {"name":"own","type":{"type":"fixed","name":"X","size":1}},
        {"name":"bare","type":{"type":"fixed","name":"X","namespace":"","size":2}},
        {"name":"lone","type":{"type":"fixed","name":"Y","namespace":"","size":3}},
        {"name":"inner","type":{"type":"record","name":"In","namespace":"m","fields":[
            {"name":"bare","type":"X"},{"name":"own","type":"n.X"},{"name":"self","type":["null","In"]}]}},
        {"name":"again","type":"X"},{"name":"other","type":{"type":"Y"}}]}"#;
    let schema = parse(json).unwrap();
    let Kind::Record(top) = &schema.node(schema.root()).kind else { panic!("no record") };
    let name = |id| schema.node(id).kind.name().unwrap().fullname();
    let found: Vec<_> = top.fields.iter().map(|field| name(field.schema)).collect();
    assert_eq!(found, ["n.X", "X", "Y", "m.In", "n.X", "Y"]);
    let Kind::Record(inner) = &schema.node(top.fields[3].schema).kind else { panic!("no record") };
    let found: Vec<_> = inner.fields[..2].iter().map(|field| name(field.schema)).collect();
    assert_eq!(found, ["X", "n.X"]);
    assert_eq!((top.fields[0].schema, top.fields[5].schema), (top.fields[4].schema, top.fields[2].schema));
}

#[test]
fn what_the_wild_gets_wrong_without_harm_is_read() {
    let table = [
        r#"{"type":"record","name":"n-me","fields":[{"name":"a b","type":"int"}]}"#,
        r#"{"type":"record","name":"R","namespace":null,"aliases":null,"doc":null,"fields":[]}"#,
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":["string","null"],"default":null}]}"#,
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x","order":"sideways"}]}"#,
        r#"{"type":"enum","name":"E","symbols":["not a name","ü"]}"#,
        r#"{"type":"fixed","name":"F","size":0}"#,
        r#"{"type":"int","logicalType":5}"#,
        r#"[{"type":"fixed","name":"a.F","size":1},{"type":"fixed","name":"b.F","size":1}]"#,
        r#"{"type":"record","name":"R","fields":[
            {"name":"a","type":{"type":"fixed","name":"F","size":1}},
            {"name":"b","type":{"name":"F","size":1,"type":"fixed"}}]}"#,
    ];
    for json in table {
        let schema = parse(json).unwrap();
        assert_eq!(parse(&schema.to_json()).unwrap().canonical_form(), schema.canonical_form(), "{json}");
    }
}

#[test]
fn what_is_no_schema_is_refused_with_the_reason_and_the_place() {
    let field = |inner: &str| {
        format!(r#"{{"type":"record","name":"C","namespace":"a.b","fields":[{{"name":"d","type":{inner}}}]}}"#)
    };
    let table = [
        ("", "the schema is not valid JSON: EOF"),
        ("string", "the schema is not valid JSON: expected value"),
        ("7", "schema: a type is a name, a list or an object, not `7`"),
        (r#""Foo""#, "schema: no type is named `Foo`"),
        (&field(r#""record""#), "record a.b.C, field d: `record` alone is no type: the type is an object of its own"),
        (&field(r#""Foo""#), "record a.b.C, field d: no type is named `Foo`"),
        (&field(r#"{"items":"int"}"#), "record a.b.C, field d: an object without `type` is no type"),
        (&field(r#"{"type":"array"}"#), "record a.b.C, field d: `items` is missing"),
        (&field(r#"["int",["null"]]"#), "record a.b.C, field d: a union must not hold a union"),
        (&field(r#"["null",{"type":["null"]}]"#), "record a.b.C, field d: a union must not hold a union"),
        (
            &field(r#"["int",{"type":"int","logicalType":"date"}]"#),
            "record a.b.C, field d: a union must not hold `int` twice",
        ),
        (&field(r#"["C","a.b.C"]"#), "record a.b.C, field d: a union must not hold `a.b.C` twice"),
        (
            &field(r#"{"type":"enum","name":"C","symbols":[]}"#),
            "record a.b.C, field d: the name `a.b.C` is defined twice, as two different types",
        ),
        (&field(r#"{"type":"fixed","size":4}"#), "record a.b.C, field d: a type `fixed` without a `name`"),
        (r#"{"type":"fixed","name":"F"}"#, "schema: fixed F has no `size` from 0 to 2147483647"),
        (r#"{"type":"fixed","name":"F","size":-1}"#, "schema: fixed F has no `size`"),
        (r#"{"type":"fixed","name":"F","size":2147483648}"#, "schema: fixed F has no `size`"),
        (r#"{"type":"fixed","name":"int","size":1}"#, "schema: a type must not be named `int`"),
        (r#"{"type":"fixed","name":"a.","size":1}"#, "schema: a type `fixed` without a `name`"),
        (r#"{"type":"enum","name":"E"}"#, "schema: enum E has no list of `symbols`"),
        (r#"{"type":"enum","name":"E","symbols":["A",1]}"#, "schema: `symbols` is not a list of strings"),
        (r#"{"type":"enum","name":"E","symbols":["A","A"]}"#, "schema: enum E has the symbol `A` twice"),
        (r#"{"type":"enum","name":"E","symbols":["A"],"default":"B"}"#, "schema: the default \"B\" of enum E"),
        (r#"{"type":"record","name":"R"}"#, "schema: record R has no list of `fields`"),
        (r#"{"type":"record","name":"R","fields":["a"]}"#, "schema: record R has a field without a `name`"),
        (r#"{"type":"record","name":"R","fields":[{"name":"a"}]}"#, "record R, field a: `type` is missing"),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
            "schema: record R has two fields named `a`",
        ),
        (r#"{"type":"record","name":"R","aliases":["a."],"fields":[]}"#, "schema: R has an empty alias"),
    ];
    for (json, expected) in table {
        let error = parse(json).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema, "{json}");
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

fn arrays(depth: usize) -> String {
    format!(r#"{}"int"{}"#, r#"{"type":"array","items":"#.repeat(depth), "}".repeat(depth))
}

fn limited(json: &str, change: impl FnOnce(&mut Limits)) -> Result<Schema> {
    let mut limits = Limits::default();
    change(&mut limits);
    Schema::parse(json, &limits)
}

#[test]
fn schema_depth_is_a_limit() {
    assert!(limited(&arrays(9), |limits| limits.schema_depth = 10).is_ok());
    assert!(parse(&arrays(127)).is_ok());
    assert!(limited(&arrays(255), |limits| limits.schema_depth = usize::MAX).is_ok());
    let beyond = [(10, 10), (128, 128), (256, 256), (256, usize::MAX), (1_000_000, 128), (1_000_000, usize::MAX)];
    for (json, depth) in beyond.map(|(nested, depth)| (arrays(nested), depth)) {
        let error = limited(&json, |limits| limits.schema_depth = depth).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert!(error.message().contains("schema_depth"), "{error}");
    }
    let unclosed = "[".repeat(1_000_000);
    assert_eq!(parse(&unclosed).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn schema_nodes_is_a_limit() {
    assert!(limited(&arrays(9), |limits| limits.schema_nodes = 10).is_ok());
    let error = limited(&arrays(10), |limits| limits.schema_nodes = 10).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.message().contains("schema_nodes"), "{error}");
}

#[test]
fn brackets_inside_strings_do_not_nest() {
    assert_eq!(nesting(r#"{"a\"[[[":["]","\\",[]]}"#), 3);
}

#[test]
fn numbers_that_json_has_no_word_for_are_defaults() {
    let fields = r#"[{"name":"a","type":"double","default":NaN},{"name":"b","type":"float","default": -Infinity},
        {"name":"c","type":{"type":"array","items":"double"},"default":[Infinity,NaN , 1]},
        {"name":"NaN","type":"string","default":"\\\"NaN, [Infinity]","doc":":NaN"}]"#;
    let schema = parse(&format!(r#"{{"type":"record","name":"R","fields":{fields}}}"#)).unwrap();
    let json = schema.to_json();
    for default in
        [r#""default":"NaN""#, r#""default":"-Infinity""#, r#""default":["Infinity","NaN",1]"#, r#"\"NaN, [Infinity]""#]
    {
        assert!(json.contains(default), "{default}: {json}");
    }
    for word in ["nan", "NaNa", "-NaN", "Infinity1", "+Infinity", "N"] {
        let error = parse(&format!(r#"{{"type":"int","default":{word}}}"#)).unwrap_err();
        assert!(error.message().contains("not valid JSON"), "{word}: {error}");
    }
}

#[test]
fn a_union_may_have_no_types() {
    let json = r#"{"type":"array","items":[]}"#;
    assert_eq!(parse(json).unwrap().to_json(), json);
}
