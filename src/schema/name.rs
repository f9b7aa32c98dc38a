//! Full names (specification, "Names").

use std::fmt;

/// The full name of a record, an enum or a fixed: a namespace, which may be missing, and a short name.
///
/// Reading is lenient: existing files have names outside the specification's grammar (`n-me`), and names are only
/// compared, so any text is accepted.
///
/// ```
/// use polars_avro::schema::Name;
///
/// let name = Name::new("Order", Some("shop")).unwrap();
/// assert_eq!((name.fullname(), name.short()), ("shop.Order", "Order"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    full: Box<str>,
    /// The offset of the short name in `full`.
    short: usize,
}

impl Name {
    /// Returns the name that `name` means if `namespace` is given next to it or by an enclosing type.
    ///
    /// A dotted `name` is a full name already. An empty namespace is no namespace. Returns `None` if the short name is
    /// empty.
    #[must_use]
    pub fn new(name: &str, namespace: Option<&str>) -> Option<Self> {
        let (namespace, short) = match name.rsplit_once('.') {
            Some((namespace, short)) => (Some(namespace), short),
            None => (namespace, name),
        };
        if short.is_empty() {
            return None;
        }
        Some(match namespace.filter(|namespace| !namespace.is_empty()) {
            Some(namespace) => Self { full: format!("{namespace}.{short}").into(), short: namespace.len() + 1 },
            None => Self { full: short.into(), short: 0 },
        })
    }

    /// Returns the empty name, which some writers give to the root record. No type can refer to it.
    pub(super) fn anonymous() -> Self {
        Self { full: "".into(), short: 0 }
    }

    /// Returns true if the name is empty.
    pub(super) fn is_anonymous(&self) -> bool {
        self.full.is_empty()
    }

    /// Returns the namespace and the short name, joined by a dot.
    #[must_use]
    pub fn fullname(&self) -> &str {
        &self.full
    }

    /// Returns the name without its namespace.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.full[self.short..]
    }

    /// Returns the namespace; `None` is the null namespace.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.short.checked_sub(1).map(|dot| &self.full[..dot])
    }

    /// Returns the shortest text that means this name within `enclosing`; [`Name::new`] parses it.
    pub(super) fn within(&self, enclosing: Option<&str>) -> String {
        match self.namespace() {
            namespace if namespace == enclosing => self.short().to_owned(),
            None => format!(".{}", self.short()),
            Some(_) => self.fullname().to_owned(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_name_and_namespace_make_of_it() {
        let table = [
            ("X", None, "X", None, "X"),
            ("X", Some(""), "X", None, "X"),
            ("X", Some("a.b"), "a.b.X", Some("a.b"), "X"),
            ("a.b.X", None, "a.b.X", Some("a.b"), "X"),
            ("a.b.X", Some("c"), "a.b.X", Some("a.b"), "X"),
            (".X", Some("c"), "X", None, "X"),
            ("n-me", Some("é"), "é.n-me", Some("é"), "n-me"),
        ];
        for (name, given, full, namespace, short) in table {
            let parsed = Name::new(name, given).unwrap();
            assert_eq!((parsed.fullname(), parsed.namespace(), parsed.short()), (full, namespace, short), "{name}");
        }
    }

    #[test]
    fn an_empty_name_is_no_name() {
        for name in ["", ".", "a.", "a.b."] {
            assert_eq!(Name::new(name, Some("x")), None, "{name}");
        }
    }

    #[test]
    fn a_name_written_inside_a_namespace_is_read_back() {
        for full in ["X", "a.X", "a.b.X"] {
            let name = Name::new(full, None).unwrap();
            for enclosing in [None, Some("a"), Some("a.b")] {
                assert_eq!(Name::new(&name.within(enclosing), enclosing).as_ref(), Some(&name), "{full} {enclosing:?}");
            }
        }
    }
}
