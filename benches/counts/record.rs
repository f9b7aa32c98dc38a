//! The counts in the repository.

use std::process::Command;

use serde_json::{Map, Value as Json, json};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/record/counts.json");

/// A count may exceed the recorded one by this factor: as much as a change of the compiler's inlining can cost.
const TOLERANCE: f64 = 1.02;

/// Instructions of each case, and the tools that the record was made with.
pub(crate) struct Record(Map<String, Json>);

impl Record {
    /// Reads the record; it is empty if there is none.
    pub(crate) fn read() -> Self {
        let text = std::fs::read(PATH).unwrap_or_else(|_| b"{}".to_vec());
        Self(serde_json::from_slice(&text).unwrap())
    }

    fn count(&self, name: &str) -> Option<u64> {
        self.0.get("instructions")?.get(name)?.as_u64()
    }

    /// Prints counts beside the recorded ones; returns true if none exceeds its record.
    pub(crate) fn holds(&self, counts: &[(&str, u64)]) -> bool {
        println!("{:<24} {:>14} {:>14} {:>8}", "instructions", "record", "now", "");
        let mut holds = true;
        for &(name, now) in counts {
            let Some(recorded) = self.count(name) else {
                println!("{name:<24} {:>14} {now:>14}   no record", "");
                holds = false;
                continue;
            };
            let ratio = now as f64 / recorded as f64;
            let remark = if ratio > TOLERANCE { "  TOO MANY" } else { "" };
            println!("{name:<24} {recorded:>14} {now:>14} {ratio:>8.3}{remark}");
            holds &= ratio <= TOLERANCE;
        }
        if !holds {
            let made_with = self.0.get("made_with").and_then(Json::as_str).unwrap_or("nothing");
            eprintln!(
                "A case has no record or takes more than {TOLERANCE} times the recorded instructions. If that is justified, \
                 run `nox -s counts -- --record` and say why in the commit. The record was made with {made_with}, this \
                 run with {}.",
                tools()
            );
        }
        holds
    }

    /// Writes these counts; cases that were not counted keep theirs.
    pub(crate) fn write(mut self, counts: &[(&str, u64)]) {
        let recorded = self.0.entry("instructions").or_insert_with(|| json!({})).as_object_mut().unwrap();
        for &(name, now) in counts {
            println!("{name:<24} {now:>14}");
            recorded.insert(name.into(), now.into());
        }
        self.0.insert("made_with".into(), tools().into());
        std::fs::write(PATH, serde_json::to_string_pretty(&self.0).unwrap() + "\n").unwrap();
    }
}

/// The tools that decide about the count of unchanged code.
fn tools() -> String {
    let version = |program| {
        let output = Command::new(program).arg("--version").output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    format!("{}, {}", version("rustc"), version("valgrind"))
}
