use crate::{Limits, Schema};

fn union(schemas: &[&str]) -> crate::Result<String> {
    let limits = Limits::default();
    let schemas: Vec<_> = schemas.iter().map(|json| Schema::parse(json, &limits).unwrap()).collect();
    let json = Schema::union(&schemas, &limits)?.to_json();
    assert_eq!(Schema::parse(&json, &limits).unwrap().to_json(), json);
    Ok(json)
}

fn record(name: &str, fields: &[(&str, &str)]) -> String {
    let fields: Vec<_> =
        fields.iter().map(|(name, schema)| format!(r#"{{"name":"{name}","type":{schema}}}"#)).collect();
    format!(r#"{{"type":"record","name":"{name}","fields":[{}]}}"#, fields.join(","))
}

#[test]
fn the_widest_of_two_types_holds_both() {
    let millis = r#"{"type":"long","logicalType":"timestamp-millis"}"#;
    let micros = r#"{"type":"long","logicalType":"timestamp-micros"}"#;
    let table = [
        (r#""int""#, r#""long""#, r#""long""#),
        (r#""int""#, r#""float""#, r#""double""#),
        (r#""long""#, r#""double""#, r#""double""#),
        (r#""string""#, r#""bytes""#, r#""bytes""#),
        (r#"{"type":"fixed","name":"F","size":4}"#, r#""string""#, r#""bytes""#),
        (r#""null""#, r#""null""#, r#""null""#),
        (r#""null""#, r#""int""#, r#"["null","int"]"#),
        (r#"["int","null"]"#, r#""long""#, r#"["null","long"]"#),
        (r#"["int","string"]"#, r#"["string","boolean","int"]"#, r#"["string","boolean","int"]"#),
        (millis, micros, micros),
        (
            r#"{"type":"int","logicalType":"time-millis"}"#,
            r#"{"type":"long","logicalType":"time-micros"}"#,
            r#"{"type":"long","logicalType":"time-micros"}"#,
        ),
        (
            r#"{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}"#,
            r#"{"type":"fixed","name":"F","size":4,"logicalType":"decimal","precision":7,"scale":2}"#,
            r#"{"type":"bytes","logicalType":"decimal","precision":7,"scale":2}"#,
        ),
        (
            r#"{"type":"enum","name":"E","symbols":["A","B"]}"#,
            r#"{"type":"enum","name":"F","symbols":["C","B"]}"#,
            r#"{"type":"enum","name":"E","symbols":["A","B","C"]}"#,
        ),
        (r#"{"type":"fixed","name":"F","size":4}"#, r#"{"type":"fixed","name":"F","size":8}"#, r#""bytes""#),
        (r#"{"type":"enum","name":"E","symbols":["A"]}"#, r#""string""#, r#""string""#),
    ];
    for (one, other, expected) in table {
        let (one, other, expected) =
            (record("R", &[("v", one)]), record("R", &[("v", other)]), record("R", &[("v", expected)]));
        assert_eq!(union(&[&one, &other]).unwrap(), expected);
        assert_eq!(union(&[&one]).unwrap(), one);
    }
}

#[test]
fn types_without_a_union_name_the_field() {
    let inner = |schema: &str| record("R", &[("l", &format!(r#"{{"type":"array","items":["null",{schema}]}}"#))]);
    let error = union(&[&inner(&record("N", &[("x", r#""long""#)])), &inner(&record("N", &[("x", r#""string""#)]))]);
    let error = error.unwrap_err();
    assert_eq!(error.position().path.as_deref(), Some("l[].x"));
    assert!(error.message().contains("`l[].x` is long in one file and string in another"), "{error}");
}

#[test]
fn the_record_with_more_fields_gives_their_order() {
    let nested = |names: &[&str]| {
        let fields: Vec<_> = names.iter().map(|name| (*name, r#""int""#)).collect();
        record("R", &[("v", &record("N", &fields))])
    };
    let table: [(&[&[&str]], &[&str]); 4] = [
        (&[&["x", "y"], &["y", "x"]], &["x", "y"]),
        (&[&["x"], &["y", "x"]], &["y", "x"]),
        (&[&["a"], &["b", "c"], &["d", "a", "b", "c"]], &["d", "a", "b", "c"]),
        (&[&["a", "b"], &["c", "d", "a"]], &["c", "d", "a", "b"]),
    ];
    for (schemas, expected) in table {
        let schemas: Vec<_> = schemas.iter().map(|names| nested(names)).collect();
        let json = union(&schemas.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        assert_eq!(json.replace(r#","namespace":"other_2""#, ""), nested(expected));
    }
}

#[test]
fn types_of_one_name_that_differ_keep_their_short_names() {
    let one = record("R", &[("a", &record("N", &[("x", r#""int""#)])), ("b", r#""N""#)]);
    let other = record("R", &[("a", &record("N", &[("y", r#""int""#)]))]);
    let json = union(&[&one, &other]).unwrap();
    assert!(json.contains(r#""name":"N","fields":[{"name":"x","type":"int"},{"name":"y","type":"int"}]"#), "{json}");
    assert!(json.contains(r#""name":"N","namespace":"other_2","fields":[{"name":"x","type":"int"}]"#), "{json}");
}

#[test]
fn branches_that_share_a_short_name_match_by_full_names_in_any_order() {
    let branch = |name: &str, fields: &[&str]| {
        let fields: Vec<_> = fields.iter().map(|field| (*field, r#""int""#)).collect();
        record(name, &fields)
    };
    let union_of = |branches: &[String]| record("R", &[("u", &format!("[{}]", branches.join(",")))]);
    let files = [
        union_of(&[branch("foo.C", &["x"]), "\"int\"".into()]),
        union_of(&["\"int\"".into(), branch("bar.C", &["y"])]),
        union_of(&[branch("bar.C", &["z"]), branch("foo.C", &["x"]), "\"int\"".into()]),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let json = union(&order.map(|at| files[at].as_str())).unwrap();
        let foo = r#"{"type":"record","name":"C","namespace":"foo","fields":[{"name":"x","type":"int"}]}"#;
        assert!(json.contains(foo), "{order:?}: {json}");
        let has_bar = [["y", "z"], ["z", "y"]].iter().any(|names| {
            let fields = names.map(|name| format!(r#"{{"name":"{name}","type":"int"}}"#)).join(",");
            json.contains(&format!(r#"{{"type":"record","name":"C","namespace":"bar","fields":[{fields}]}}"#))
        });
        assert!(has_bar, "{order:?}: {json}");
    }
    let pair = [&files[0], &files[1]].map(String::as_str);
    assert_eq!(union(&pair).unwrap().matches("record").count(), 2);
}

#[test]
fn all_columns_are_as_the_first_schema_with_them_has_them() {
    let limits = Limits::default();
    let record_n = record("N", &[("x", r#""int""#)]);
    let one = record("R", &[("a", r#""int""#), ("n", r#""null""#), ("b", &record_n)]);
    let other = record("R", &[("c", &record("N", &[("y", r#""int""#)])), ("a", r#""string""#), ("n", r#""N""#)]);
    let schemas = [one, other].map(|json| Schema::parse(&json, &limits).unwrap());
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let json = Schema::all_columns(&schemas, &owned(&["a", "n", "b", "c"]), &limits).unwrap().to_json();
    let columns: serde_json::Value = serde_json::from_str(&json).unwrap();
    let names: Vec<_> =
        columns["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "n", "b", "c"], "{json}");
    assert_eq!(columns["fields"][0]["type"], "int");
    assert_eq!(columns["fields"][1]["type"]["fields"][0]["name"], "y");
    assert_eq!(columns["fields"][2]["type"]["fields"][0]["name"], "x");
    assert_eq!(Schema::parse(&json, &limits).unwrap().to_json(), json);
    // The type of `n` is defined in `c`, and stays if `c` goes.
    let json = Schema::all_columns(&schemas, &owned(&["n"]), &limits).unwrap().to_json();
    let columns: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(columns["fields"].as_array().unwrap().len(), 1);
    assert_eq!(columns["fields"][0]["type"]["fields"][0]["name"], "y");
}

#[test]
fn a_recursive_type_is_united_with_itself() {
    let tree = |item: &str| record("T", &[("v", item), ("next", r#"["null","T"]"#)]);
    assert_eq!(union(&[&tree(r#""int""#), &tree(r#""long""#)]).unwrap(), tree(r#""long""#));
}

#[test]
fn a_union_that_nests_too_deep_is_refused() {
    // The JSON of each schema is flat. The second has one more field, so its order is used, in which the types of the
    // first form one chain.
    let flat = |names: &mut dyn Iterator<Item = usize>, chained: bool| {
        let inner = |at: usize| match at {
            1.. if chained => record(&format!("N{at}"), &[("next", &format!("\"N{}\"", at - 1))]),
            _ => record(&format!("N{at}"), &[]),
        };
        let fields: Vec<_> = names.map(|at| (format!("f{at}"), inner(at))).collect();
        let fields: Vec<_> = fields.iter().map(|(name, schema)| (name.as_str(), schema.as_str())).collect();
        record("R", &[("v", &record("V", &fields))])
    };
    let (one, other) = (flat(&mut (0..200), true), flat(&mut (0..201).rev(), false));
    let error = union(&[&one, &other]).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Limit, "{error}");
    union(&[&other, &flat(&mut (0..30), true)]).unwrap();
}
