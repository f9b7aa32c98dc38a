//! Random schemas as JSON: every kind of type, nested, with names in all their spellings.

use serde_json::{Map, Value as Json, json};

use crate::choices::Choices;

/// A schema, mostly of a record.
pub(crate) fn schema(choices: &mut Choices) -> Json {
    let mut maker = Maker { choices, named: Vec::new(), enclosing: Vec::new() };
    if maker.choices.one_in(10) { maker.any(3, "") } else { maker.record(4, "") }
}

struct Maker<'a> {
    choices: &'a mut Choices,
    /// Full names of the named types that are complete, and so may be used again.
    named: Vec<String>,
    /// Full names of the records around the place; using them makes the type recursive.
    enclosing: Vec<String>,
}

impl Maker<'_> {
    fn any(&mut self, depth: usize, namespace: &str) -> Json {
        if depth > 0 && self.choices.one_in(4) {
            return self.union(depth - 1, namespace);
        }
        self.branch(depth, namespace)
    }

    /// Any type that may stand in a union.
    fn branch(&mut self, depth: usize, namespace: &str) -> Json {
        let kinds = if depth == 0 { 9 } else { 15 };
        match self.choices.below(kinds) {
            0 => self.logical("int", &["date", "time-millis", "timestamp-millis", "unknown"]),
            1 => self.logical("string", &["uuid", "date"]),
            2 => self.logical("long", &LONGS),
            3 => self.plain("double"),
            4 => self.plain("boolean"),
            5 => self.bytes(),
            6 => self.plain("float"),
            7 => self.plain("null"),
            8 => self.used_again(namespace),
            9 => self.fixed(namespace),
            10 => self.symbols(namespace),
            11 => json!({"type": "array", "items": self.any(depth - 1, namespace)}),
            12 => json!({"type": "map", "values": self.any(depth - 1, namespace)}),
            13 => self.recursive(depth - 1, namespace),
            _ => self.record(depth - 1, namespace),
        }
    }

    fn plain(&mut self, name: &str) -> Json {
        if self.choices.one_in(5) { json!({"type": name, "note": [1, {"a": null}]}) } else { json!(name) }
    }

    fn logical(&mut self, base: &str, names: &[&str]) -> Json {
        if self.choices.below(2) == 0 {
            return self.plain(base);
        }
        json!({"type": base, "logicalType": self.choices.pick(names)})
    }

    fn bytes(&mut self) -> Json {
        match self.choices.below(4) {
            0 => self.plain("bytes"),
            1 => json!({"type": "bytes", "logicalType": "big-decimal"}),
            2 => json!({"type": "bytes", "logicalType": "duration"}),
            _ => {
                // Scale above precision and a precision of nothing are not valid: plain bytes.
                let precision = self.choices.pick(&[9, 1, 18, 19, 38, 39, 60, 0]);
                let scale = self.choices.pick(&[0, 2, 9, 20]);
                json!({"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale})
            }
        }
    }

    fn fixed(&mut self, namespace: &str) -> Json {
        let (size, logical) = self.choices.pick(&[
            (3, ""),
            (0, ""),
            (12, "duration"),
            (16, "uuid"),
            (8, "decimal"),
            (20, "decimal"),
            (1, "decimal"),
            (16, "duration"),
            (20, ""),
        ]);
        let (mut object, name) = self.name("fixed", namespace);
        object.insert("size".into(), json!(size));
        if !logical.is_empty() {
            object.insert("logicalType".into(), json!(logical));
            object.insert("precision".into(), json!(self.choices.pick(&[2, 18, 38, 45])));
        }
        self.named.push(name);
        Json::Object(object)
    }

    fn symbols(&mut self, namespace: &str) -> Json {
        let (mut object, name) = self.name("enum", namespace);
        let count = self.choices.pick(&[2, 1, 5, 300]);
        object.insert("symbols".into(), (0..count).map(|at| json!(format!("S{at}"))).collect());
        self.named.push(name);
        Json::Object(object)
    }

    fn record(&mut self, depth: usize, namespace: &str) -> Json {
        let (mut object, name) = self.name("record", namespace);
        let inner = name.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
        self.enclosing.push(name.clone());
        let count = if self.choices.one_in(12) { 0 } else { 1 + self.choices.below(5) };
        let mut fields = Vec::new();
        for at in 0..count {
            let mut field = json!({"name": format!("f{at}"), "type": self.any(depth, &inner)});
            if self.choices.one_in(8) {
                field["doc"] = json!("a field");
                field["order"] = json!("descending");
                field["aliases"] = json!(["other"]);
            }
            fields.push(field);
        }
        self.enclosing.pop();
        self.named.push(name);
        object.insert("fields".into(), Json::Array(fields));
        Json::Object(object)
    }

    fn union(&mut self, depth: usize, namespace: &str) -> Json {
        let mut branches = Vec::new();
        let mut kinds = Vec::new();
        if self.choices.below(4) != 3 {
            branches.push(json!("null"));
            kinds.push("null".to_owned());
        }
        let most = self.choices.pick(&[1, 1, 2, 3, 5]);
        for _ in 0..most {
            let named = self.named.clone();
            let branch = self.branch(depth, namespace);
            let kind = kind(&branch, namespace);
            if kinds.contains(&kind) {
                // A definition inside the branch that is thrown away must not be used.
                self.named = named;
                continue;
            }
            let at = self.choices.below(branches.len() + 1);
            branches.insert(branches.len() - at, branch);
            kinds.push(kind);
        }
        if branches.is_empty() { json!(["null"]) } else { Json::Array(branches) }
    }

    /// A second use of a named type.
    fn used_again(&mut self, namespace: &str) -> Json {
        let usable: Vec<_> = self.named.iter().filter(|name| reachable(name, namespace)).cloned().collect();
        if usable.is_empty() {
            return self.plain("int");
        }
        let name = &usable[self.choices.below(usable.len())];
        self.spell(name, namespace)
    }

    /// A reference to a record around the place, behind something that can end.
    fn recursive(&mut self, depth: usize, namespace: &str) -> Json {
        let usable: Vec<_> = self.enclosing.iter().filter(|name| reachable(name, namespace)).cloned().collect();
        if usable.is_empty() {
            return json!({"type": "array", "items": self.any(depth, namespace)});
        }
        let name = &usable[self.choices.below(usable.len())];
        let name = self.spell(name, namespace);
        match self.choices.below(4) {
            0 => json!({"type": "array", "items": ["null", name]}),
            1 => json!({"type": "map", "values": name}),
            2 => json!({"type": "array", "items": ["null", "int", name]}),
            _ => json!({"type": "array", "items": name}),
        }
    }

    fn spell(&mut self, name: &str, namespace: &str) -> Json {
        match name.rsplit_once('.') {
            Some((own, short)) if own == namespace && self.choices.below(2) == 0 => json!(short),
            _ => json!(name),
        }
    }

    /// The beginning of a named type's object, and the full name in it.
    fn name(&mut self, kind: &str, namespace: &str) -> (Map<String, Json>, String) {
        let own = self.choices.pick(&[namespace, "a", "a.b", ""]);
        let mut short = self.choices.pick(&["Red", "Green", "Blue", "red"]).to_owned();
        let join = |short: &str| if own.is_empty() { short.to_owned() } else { format!("{own}.{short}") };
        while self.named.contains(&join(&short)) || self.enclosing.contains(&join(&short)) {
            short.push('_');
        }
        let full = join(&short);
        let object = match self.choices.below(3) {
            0 if own == namespace => json!({"type": kind, "name": short}),
            1 if !own.is_empty() => json!({"type": kind, "name": full, "namespace": "ignored"}),
            _ => json!({"type": kind, "name": short, "namespace": own}),
        };
        let Json::Object(object) = object else { unreachable!() };
        (object, full)
    }
}

const LONGS: [&str; 9] = [
    "timestamp-millis",
    "timestamp-micros",
    "timestamp-nanos",
    "local-timestamp-millis",
    "local-timestamp-micros",
    "local-timestamp-nanos",
    "time-micros",
    "date",
    "decimal",
];

/// A name of no namespace has no spelling inside one.
fn reachable(name: &str, namespace: &str) -> bool {
    namespace.is_empty() || name.contains('.')
}

/// What a union may hold once.
fn kind(branch: &Json, namespace: &str) -> String {
    let full = |name: &str, namespace: &str| {
        if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
    };
    let word = branch.as_str().or_else(|| branch["type"].as_str()).unwrap();
    match word {
        "record" | "enum" | "fixed" => {
            let own = branch.get("namespace").map_or(namespace, |own| own.as_str().unwrap());
            full(branch["name"].as_str().unwrap(), own)
        }
        "array" | "map" => word.to_owned(),
        word if crate::naive::primitive(word).is_some() => word.to_owned(),
        word => full(word, namespace),
    }
}
