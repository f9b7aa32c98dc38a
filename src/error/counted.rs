//! Numbers with their nouns, for messages.

/// Returns a number and its noun, which gets an `s` unless the number is 1.
///
/// ```text
/// 0 rows, 1 row, 2 rows
/// ```
#[cold]
pub(crate) fn counted(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Returns the verb after a number and its noun.
pub(crate) fn is_or_are(n: u64) -> &'static str {
    if n == 1 { "is" } else { "are" }
}
