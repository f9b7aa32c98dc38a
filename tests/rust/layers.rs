//! The table of layers in `docs/development/design.md`, enforced: references between modules go down only.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Modules by layer, the lowest first. Modules of one layer do not use one another.
const LAYERS: [&[&str]; 11] = [
    &["casts", "ffi", "limits", "setters"],
    &["error"],
    &["arrow_import", "binary", "codec", "executor", "source"],
    &["schema"],
    &["container", "dtype"],
    &["decode", "encode"],
    &["plan"],
    &["datum", "read"],
    &["write"],
    &["arrow_export", "polars", "python"],
    &["lib"],
];

/// The submodules of `read` by layer. Its other files are the top layer, except those of the lowest.
const SUBMODULES: [&[&str]; 7] =
    [&["settings", "stats"], &["fetch"], &["blocks"], &["files"], &["sections"], &["batches"], &["top"]];

/// Methods of a source, which reading calls in `fetch` alone.
const READS: [&str; 3] = ["read_at", "read_into", "read_at_reusing"];

/// Modules that may say `unsafe`.
const UNSAFE: [&str; 2] = ["ffi/", "decode/view_array.rs"];

fn layer(module: &str) -> usize {
    let layer = LAYERS.iter().position(|modules| modules.contains(&module));
    layer.unwrap_or_else(|| panic!("module `{module}` is in no layer of the table"))
}

/// What is wrong with the files (path below `src`, text), one line a reference.
fn violations(files: &[(String, String)]) -> Vec<String> {
    let root = files.iter().find(|(path, _)| path == "lib.rs").map(|(_, text)| reexports(&tokens(text)));
    let root = root.unwrap_or_default();
    let mut found = Vec::new();
    for (path, text) in files {
        let own = path.split('/').next().unwrap().trim_end_matches(".rs");
        let tokens = tokens(text);
        for name in crate_references(path, &tokens) {
            // A name of the crate's root is a module or is exported from one; macros are above all.
            let module = root.get(&name).map_or(name.as_str(), String::as_str);
            if own != "lib" && module != own && layer(module) >= layer(own) {
                found.push(format!("{path}: `{own}` uses `{name}` of `{module}`"));
            }
        }
        let mut only = |word: &str, allowed: bool| {
            if !allowed && tokens.iter().any(|token| token == word) {
                found.push(format!("{path}: `{word}`"));
            }
        };
        only("pyo3", own == "python");
        only("polars_plan", own == "polars");
        only("unsafe", own == "python" || UNSAFE.iter().any(|module| path.starts_with(module)));
        for word in ["tokio", "reqwest", "rustls"] {
            only(word, path.starts_with("source/object_store/"));
        }
        only("rayon", own == "executor" || layer(own) >= layer("read"));
        let frames = tokens.windows(3).any(|window| window == ["polars", "::", "prelude"]);
        if frames && own != "polars" {
            found.push(format!("{path}: the crate `polars`"));
        }
        let fs = tokens.windows(3).any(|window| window == ["std", "::", "fs"]);
        if fs && own != "source" && layer(own) < layer("read") {
            found.push(format!("{path}: `std::fs`"));
        }
    }
    found.extend(files.iter().flat_map(|(path, text)| submodule_violations(path, &tokens(text))));
    found.sort();
    found.dedup();
    found
}

/// Returns the layer of the submodule of `read` that a file or a module of this name belongs to.
fn submodule(name: &str) -> usize {
    let layer = SUBMODULES.iter().position(|submodules| submodules.contains(&name));
    layer.unwrap_or(SUBMODULES.len() - 1)
}

/// What is wrong between the submodules of `read`, and who else reads a source.
fn submodule_violations(path: &str, tokens: &[String]) -> Vec<String> {
    let Some(below) = path.strip_prefix("read/") else {
        let reads =
            path.starts_with("container/").then(|| tokens.iter().filter(|token| READS.contains(&token.as_str())));
        return reads.into_iter().flatten().map(|token| format!("{path}: `{token}`")).collect();
    };
    let own = below.split('/').next().unwrap().trim_end_matches(".rs");
    if own == "mod" || path.ends_with("tests.rs") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let used = tokens.windows(5).filter(|words| words[..4] == ["crate", "::", "read", "::"]).map(|words| &words[4]);
    // In the files of the top layer, and in the `mod.rs` of a submodule, `super` is `read`.
    let depth = below.matches('/').count() - usize::from(below.ends_with("/mod.rs"));
    let above = tokens.windows(3).filter(|words| depth == 0 && words[..2] == ["super", "::"]).map(|words| &words[2]);
    for name in used.chain(above) {
        if name != own && submodule(name) >= submodule(own) && submodule(own) < SUBMODULES.len() - 1 {
            found.push(format!("{path}: the submodule `{own}` uses `{name}`"));
        }
    }
    let reads = tokens.iter().filter(|token| own != "fetch" && READS.contains(&token.as_str()));
    found.extend(reads.map(|token| format!("{path}: `{token}`")));
    found
}

/// Files of reading and of the executor that use themselves by way of others in the same directory.
fn cycles(files: &[(String, String)]) -> Vec<String> {
    let texts: HashMap<&str, Vec<String>> = files.iter().map(|(path, text)| (path.as_str(), tokens(text))).collect();
    let is_checked = |path: &str| path.starts_with("read/") || path.starts_with("executor/");
    let reaches_itself = |path: &&str| {
        let (mut reached, mut waiting) = (Vec::new(), siblings(path, &texts));
        while let Some(next) = waiting.pop() {
            if !reached.contains(&next) {
                waiting.extend(siblings(&next, &texts));
                reached.push(next);
            }
        }
        reached.iter().any(|other| other == path)
    };
    let mut found: Vec<_> = texts.keys().filter(|path| is_checked(path)).filter(|path| reaches_itself(path)).collect();
    found.sort();
    found.into_iter().map(|path| (*path).to_owned()).collect()
}

/// The files in the directory of this one that it uses: by their names, or by what `mod.rs` exports from them.
fn siblings(path: &str, texts: &HashMap<&str, Vec<String>>) -> Vec<String> {
    let Some((directory, file)) = path.rsplit_once('/') else { return Vec::new() };
    if matches!(file, "mod.rs" | "tests.rs") {
        return Vec::new();
    }
    let exported = texts.get(format!("{directory}/mod.rs").as_str()).map(|tokens| reexports(tokens));
    let (exported, tokens) = (exported.unwrap_or_default(), &texts[path]);
    let mut names = Vec::new();
    for (at, words) in tokens.windows(3).enumerate() {
        let is_first = at == 0 || tokens[at - 1] != "::";
        if is_first && words[..2] == ["super", "::"] && words[2] != "super" {
            first_names(&tokens[at + 2..], &mut names);
        }
    }
    let file_of = |name: String| format!("{directory}/{}.rs", exported.get(&name).unwrap_or(&name));
    names.into_iter().map(file_of).filter(|file| file != path && texts.contains_key(file.as_str())).collect()
}

/// Words, `::` and single signs; no comments, no literals.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        at += match rest {
            ['/', '/', ..] => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => rest.windows(2).position(|pair| pair == ['*', '/']).map_or(rest.len(), |end| end + 2),
            ['r', '#', '"', ..] => {
                rest.windows(2).position(|pair| pair == ['"', '#']).map_or(rest.len(), |end| end + 2)
            }
            ['"', ..] => string_len(rest),
            ['\'', '\\', _, ..] => rest[3..].iter().position(|&c| c == '\'').map_or(rest.len(), |end| end + 4),
            ['\'', _, '\'', ..] => 3,
            [':', ':', ..] => {
                tokens.push("::".to_owned());
                2
            }
            [first, ..] if first.is_alphanumeric() || *first == '_' => {
                let len = rest.iter().position(|c| !c.is_alphanumeric() && *c != '_').unwrap_or(rest.len());
                tokens.push(rest[..len].iter().collect());
                len
            }
            [first, ..] => {
                tokens.extend((!first.is_whitespace()).then(|| first.to_string()));
                1
            }
            [] => 1,
        };
    }
    tokens
}

fn string_len(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The first name of every path that begins at the crate's root, by `crate::` or by enough `super::`.
fn crate_references(path: &str, tokens: &[String]) -> Vec<String> {
    let mut parts: Vec<_> = path.trim_end_matches(".rs").split('/').collect();
    if matches!(parts.last(), Some(&("mod" | "lib"))) {
        parts.pop();
    }
    let mut found = Vec::new();
    // Depth of braces at which each inline module began.
    let (mut depth, mut inline): (usize, Vec<usize>) = (0, Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let word = |ahead: usize| tokens.get(at + ahead).map_or("", String::as_str);
        match word(0) {
            "mod" if word(2) == "{" => inline.push(depth),
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.pop_if(|began| *began == depth);
            }
            "crate" if word(1) == "::" => first_names(&tokens[at + 2..], &mut found),
            "super" if word(1) == "::" => {
                let mut up = 1;
                while word(2 * up) == "super" && word(2 * up + 1) == "::" {
                    up += 1;
                }
                if up >= parts.len() + inline.len() {
                    first_names(&tokens[at + 2 * up..], &mut found);
                }
                at += 2 * up - 1;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The first names of a use tree: `a::b` or `{a::b, c}`.
fn first_names(tokens: &[String], found: &mut Vec<String>) {
    if tokens[0] != "{" {
        found.push(tokens[0].clone());
        return;
    }
    let (mut depth, mut begins) = (0, false);
    for token in tokens {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => {}
            name if begins => found.push(name.to_owned()),
            _ => {}
        }
        begins = depth == 1 && matches!(token.as_str(), "{" | ",");
        if depth == 0 {
            return;
        }
    }
}

/// The module behind each name that `lib.rs` exports: `pub use module::{A, B as C}`.
fn reexports(tokens: &[String]) -> HashMap<String, String> {
    let mut exported = HashMap::new();
    let mut rest = tokens;
    while let Some(begin) = rest.iter().position(|token| token == "use") {
        rest = &rest[begin + 1..];
        let end = rest.iter().position(|token| token == ";").unwrap_or(rest.len());
        let (path, after) = rest.split_at(end);
        let begin = usize::from(path[0] == "crate" || path[0] == "self") * 2;
        for token in &path[begin + 1..] {
            exported.insert(token.clone(), path[begin].clone());
        }
        rest = after;
    }
    exported
}

fn sources(directory: &Path, below: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            sources(&path, &format!("{name}/"), files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn references_between_modules_go_down() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    assert!(files.len() > 10, "the sources were found");
    let found = violations(&files);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn files_of_a_submodule_do_not_use_one_another_in_a_circle() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    assert_eq!(cycles(&files), [""; 0]);
    let submodule = [
        ("read/a/mod.rs", "mod one; mod two; mod three; pub(crate) use two::{Two, Other};"),
        ("read/a/one.rs", "use super::{Two, three::Three};"),
        ("read/a/two.rs", "use super::one::One;"),
        ("read/a/three.rs", "use crate::Error;"),
    ];
    let submodule = submodule.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(cycles(&submodule), ["read/a/one.rs", "read/a/two.rs"]);
}

#[test]
fn the_table_is_the_one_in_the_design() {
    let design = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/development/design.md");
    let design = fs::read_to_string(design).unwrap();
    for (layer, modules) in LAYERS.iter().enumerate() {
        let row = design.lines().find(|line| line.starts_with(&format!("| {layer} |"))).unwrap();
        let named = row.split('|').nth(2).unwrap();
        let word = |name: &str| name.trim().trim_matches(['`', '/']).trim_end_matches(".rs").to_owned();
        let named: Vec<_> = named.split(',').map(word).collect();
        assert_eq!(named, *modules);
    }
}

#[test]
fn every_kind_of_violation_is_found() {
    let lib = ("lib.rs", "mod read; pub use error::Error; pub use read::{Batch, BatchReader as Reader};");
    let cases = [
        ("schema/mod.rs", "use crate::plan::Plan;", "schema/mod.rs: `schema` uses `plan` of `plan`"),
        ("schema/name.rs", "use crate::{Error, Batch};", "schema/name.rs: `schema` uses `Batch` of `read`"),
        ("schema/name.rs", "fn f() { crate::dtype::of() }", "schema/name.rs: `schema` uses `dtype` of `dtype`"),
        ("dtype/mod.rs", "use super::container;", "dtype/mod.rs: `dtype` uses `container` of `container`"),
        ("codec/xz.rs", "use super::super::{error, decode::Fault};", "codec/xz.rs: `codec` uses `decode` of `decode`"),
        (
            "codec/xz.rs",
            "mod tests { use super::super::super::source; }",
            "codec/xz.rs: `codec` uses `source` of `source`",
        ),
        ("limits.rs", "use crate::Error;", "limits.rs: `limits` uses `Error` of `error`"),
        ("decode/mod.rs", "unsafe { }", "decode/mod.rs: `unsafe`"),
        ("read/mod.rs", "use pyo3::prelude::*;", "read/mod.rs: `pyo3`"),
        ("read/mod.rs", "use polars::prelude::DataFrame;", "read/mod.rs: the crate `polars`"),
        ("write/mod.rs", "use crate::polars::frame;", "write/mod.rs: `write` uses `polars` of `polars`"),
        ("plan/mod.rs", "use rayon::join;", "plan/mod.rs: `rayon`"),
        ("container/mod.rs", "use std::fs::File;", "container/mod.rs: `std::fs`"),
        ("container/mod.rs", "fn f() { source.read_at(0, 1) }", "container/mod.rs: `read_at`"),
        ("read/files/entry.rs", "fn f() { source.read_into(0, out) }", "read/files/entry.rs: `read_into`"),
        (
            "read/blocks/walk.rs",
            "use crate::read::files::X;",
            "read/blocks/walk.rs: the submodule `blocks` uses `files`",
        ),
        (
            "read/sections/mod.rs",
            "use super::batches::X;",
            "read/sections/mod.rs: the submodule `sections` uses `batches`",
        ),
        ("read/stats.rs", "use super::fetch::X;", "read/stats.rs: the submodule `stats` uses `fetch`"),
        (
            "read/fetch/pool.rs",
            "use crate::read::options::X;",
            "read/fetch/pool.rs: the submodule `fetch` uses `options`",
        ),
    ];
    let file = |(path, text): (&str, &str)| (path.to_owned(), text.to_owned());
    for (path, text, expected) in cases {
        assert_eq!(violations(&[file(lib), file((path, text))]), [expected]);
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    let text = "
        //! crate::read and unsafe in a comment
        /* crate::plan */
        use crate::{Error, schema::Schema, decode::x};
        use super::sibling;
        const A: &str = \"crate::read::Batch \\\" unsafe\";
        const B: char = '\"';
        fn f<'a>(x: &'a str) -> char { '{' }
        mod tests { use super::*; use super::super::other; }
    ";
    let lib = ("lib.rs".to_owned(), "pub use error::Error;".to_owned());
    let found = violations(&[lib, ("decode/text.rs".to_owned(), text.to_owned())]);
    assert!(found.is_empty(), "{found:?}");
}
