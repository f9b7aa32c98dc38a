//! JSON syntax of objects, strings and numbers.

use std::collections::HashMap;

use serde::Serialize;

/// The entries of one map. A repeated key keeps its first position and its last value.
#[derive(Default)]
pub(super) struct Entries {
    members: Vec<(String, String)>,
    index: HashMap<String, usize>,
}

impl Entries {
    pub(super) fn set(&mut self, key: &str, text: String) {
        if let Some(&at) = self.index.get(key) {
            self.members[at].1 = text;
        } else {
            self.index.insert(key.to_owned(), self.members.len());
            self.members.push((key.to_owned(), text));
        }
    }

    pub(super) fn write(&self, out: &mut String) {
        for (i, (key, text)) in self.members.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            push_member(key, text, out);
        }
    }
}

pub(super) fn push_member(name: &str, text: &str, out: &mut String) {
    push_string(name, out);
    out.push(':');
    out.push_str(text);
}

pub(super) fn push_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Appends the shortest digits that parse as the same number.
pub(super) fn push_float<F: Into<f64> + Copy + Serialize>(float: F, out: &mut String) {
    let double: f64 = float.into();
    match (double.is_nan(), double.is_infinite()) {
        (true, _) => out.push_str("\"NaN\""),
        (_, true) if double > 0.0 => out.push_str("\"Infinity\""),
        (_, true) => out.push_str("\"-Infinity\""),
        _ => out.push_str(&serde_json::to_string(&float).expect("a finite float is a JSON number")),
    }
}
