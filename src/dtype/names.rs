//! Substitutes for names that Avro does not allow (specification, "Names").

use std::collections::HashSet;

/// Returns true if Avro allows this name for fields, symbols and types: letters, digits and `_`, no digit first.
pub(crate) fn is_avro_name(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(is_word) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// Returns a unique name for each of `names`: the name itself if Avro allows it, otherwise a name derived from it.
pub(crate) fn avro_names<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Vec<String> {
    let mut taken: HashSet<String> = names.clone().filter(|name| is_avro_name(name)).map(str::to_owned).collect();
    let name = |name: &str| if is_avro_name(name) { name.to_owned() } else { unused(&mangle(name), &mut taken) };
    names.map(name).collect()
}

/// Returns `name` if it is not taken, otherwise with the first number that makes it unique. Adds the result to `taken`.
pub(crate) fn unused(name: &str, taken: &mut HashSet<String>) -> String {
    let candidates = std::iter::once(name.to_owned()).chain((2_u64..).map(|number| format!("{name}_{number}")));
    let unused = candidates.into_iter().find(|candidate| !taken.contains(candidate));
    let unused = unused.expect("numbers do not end");
    taken.insert(unused.clone());
    unused
}

/// Replaces the characters that Avro does not allow by `_`.
fn mangle(name: &str) -> String {
    let words: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if words.starts_with(|c: char| c.is_ascii_digit()) || words.is_empty() { format!("_{words}") } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_or_become_different_ones() {
        let names = ["a b", "a_b", "", "1", "é", "a-b", "_", "a_b_2", "ok"];
        let avro = avro_names(names.into_iter());
        assert_eq!(avro, ["a_b_3", "a_b", "__2", "_1", "__3", "a_b_4", "_", "a_b_2", "ok"]);
        assert!(avro.iter().all(|name| is_avro_name(name)));
    }
}
