//! The fields of a record to read.

use crate::schema::{Record, column_name};
use crate::{Error, Result};

/// The fields of a record to read, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Projection {
    /// Every field, in the reader's order.
    All,
    /// Every column of a file that can be read.
    Readable,
    /// These fields, in this order. Each is a name, or a path of names separated by dots.
    Fields(Vec<String>),
}

impl Projection {
    /// Returns the projection of these columns; `None` is all.
    pub(crate) fn columns(paths: Option<&[String]>) -> Self {
        paths.map_or(Self::All, |paths| Self::Fields(paths.to_vec()))
    }

    /// Returns the index of each selected field of `record`, and the projection inside it.
    pub(super) fn of_record(&self, record: &Record) -> Result<Vec<(usize, Self)>> {
        self.of_names(&record.fields.iter().map(column_name).collect::<Vec<_>>())
    }

    /// Returns the index of each selected name, and the projection inside it.
    pub(super) fn of_names(&self, names: &[&str]) -> Result<Vec<(usize, Self)>> {
        match self {
            Self::All | Self::Readable => Ok((0..names.len()).map(|i| (i, Self::All)).collect()),
            Self::Fields(paths) => select(paths, names),
        }
    }

    /// Returns the projection of the one column of a file whose root is not a record; `None` if it is not selected.
    pub(super) fn of_value(&self, name: &str) -> Result<Option<Self>> {
        match self {
            Self::All | Self::Readable => Ok(Some(Self::All)),
            Self::Fields(paths) => Ok(select(paths, &[name])?.pop().map(|(_, projection)| projection)),
        }
    }

    /// Rejects a selection of fields of a type without fields.
    pub(super) fn check_is_all(&self, what: &str) -> Result<()> {
        match self {
            Self::All | Self::Readable => Ok(()),
            Self::Fields(paths) => Err(Error::argument(format!("{what} has no field {:?}", paths[0]))),
        }
    }
}

/// Returns the first name of each path, in order, and the projection inside it; paths of the same name are joined.
fn select(paths: &[String], names: &[&str]) -> Result<Vec<(usize, Projection)>> {
    let mut wanted: Vec<(usize, Projection)> = Vec::new();
    for path in paths {
        let Some((index, rest)) = first_name(path, names) else {
            return Err(Error::argument(format!("no column is named {path:?}; there are {}", list(names))));
        };
        let before = wanted.iter_mut().find(|(known, _)| *known == index);
        match (before, rest) {
            (None, None) => wanted.push((index, Projection::All)),
            (None, Some(rest)) => wanted.push((index, Projection::Fields(vec![rest.to_owned()]))),
            (Some((_, Projection::Fields(paths))), Some(rest)) => paths.push(rest.to_owned()),
            _ => return Err(Error::argument(format!("column {:?} is asked for twice", names[index]))),
        }
    }
    Ok(wanted)
}

/// Returns the index of the name that a path begins with, and the rest of the path. As names may have dots, the longest
/// match counts.
fn first_name<'p>(path: &'p str, names: &[&str]) -> Option<(usize, Option<&'p str>)> {
    let rest = |name: &str| match path.strip_prefix(name)? {
        "" => Some(None),
        rest => rest.strip_prefix('.').map(Some),
    };
    let found = names.iter().enumerate().filter_map(|(index, name)| Some((name.len(), index, rest(name)?)));
    found.max_by_key(|&(len, ..)| len).map(|(_, index, rest)| (index, rest))
}

/// Formats at most eight names for a message.
fn list(names: &[&str]) -> String {
    let shown = names.iter().take(8).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    if names.len() > 8 { format!("{shown} and {} more", names.len() - 8) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(paths: &[&str]) -> Result<Vec<(usize, Projection)>> {
        select(&paths.iter().map(|&path| path.to_owned()).collect::<Vec<_>>(), &["a", "b", "a.b", "ab"])
    }

    fn fields(paths: &[&str]) -> Projection {
        Projection::Fields(paths.iter().map(|&path| path.to_owned()).collect())
    }

    #[test]
    fn paths_begin_at_the_longest_name() {
        let table: [(&str, usize, Projection); 6] = [
            ("a", 0, Projection::All),
            ("a.b", 2, Projection::All),
            ("a.c", 0, fields(&["c"])),
            ("a.b.c", 2, fields(&["c"])),
            ("b.a.b", 1, fields(&["a.b"])),
            ("ab", 3, Projection::All),
        ];
        for (path, index, projection) in table {
            assert_eq!(selected(&[path]).unwrap(), [(index, projection)], "{path}");
        }
        for path in ["abc", "c", "", ".a", "c.a"] {
            assert!(selected(&[path]).is_err(), "{path}");
        }
    }

    #[test]
    fn paths_of_one_column_are_one_column() {
        let wanted = selected(&["b.y", "ab", "b.x.z"]).unwrap();
        assert_eq!(wanted, [(1, fields(&["y", "x.z"])), (3, Projection::All)]);
        for paths in [["b", "b"], ["b", "b.x"], ["b.x", "b"]] {
            assert!(selected(&paths).unwrap_err().message().contains("twice"));
        }
    }
}
