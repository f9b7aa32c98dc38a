//! Which fields of a record are wanted.

use crate::schema::Record;
use crate::{Error, Result};

/// The fields of a record that come out, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Projection {
    /// Every field, in the reader's order.
    All,
    /// These fields, in this order, and of each what its own projection says.
    Fields(Vec<(String, Projection)>),
}

impl Projection {
    /// The columns of these names; `None` is all of them.
    pub(crate) fn columns(names: Option<&[String]>) -> Self {
        match names {
            None => Self::All,
            Some(names) => Self::Fields(names.iter().map(|name| (name.clone(), Self::All)).collect()),
        }
    }

    /// The index of every wanted field of `record`, and what is wanted of it.
    pub(super) fn of_record(&self, record: &Record) -> Result<Vec<(usize, &Self)>> {
        match self {
            Self::All => Ok((0..record.fields.len()).map(|i| (i, self)).collect()),
            Self::Fields(wanted) => {
                let names = record.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>();
                select(wanted, &names)
            }
        }
    }

    /// Whether the one column of a file whose root is not a record is wanted, and what of it.
    pub(super) fn of_value(&self, name: &str) -> Result<Option<&Self>> {
        match self {
            Self::All => Ok(Some(self)),
            Self::Fields(wanted) => Ok(select(wanted, &[name])?.first().map(|&(_, projection)| projection)),
        }
    }
}

fn select<'p>(wanted: &'p [(String, Projection)], names: &[&str]) -> Result<Vec<(usize, &'p Projection)>> {
    let mut seen = vec![false; names.len()];
    let index = |(name, projection): &'p (String, Projection)| {
        let Some(at) = names.iter().position(|known| known == name) else {
            return Err(Error::argument(format!("no column is named {name:?}; there are {}", list(names))));
        };
        if std::mem::replace(&mut seen[at], true) {
            return Err(Error::argument(format!("column {name:?} is asked for twice")));
        }
        Ok((at, projection))
    };
    wanted.iter().map(index).collect()
}

/// At most eight names, for a message.
fn list(names: &[&str]) -> String {
    let shown = names.iter().take(8).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    if names.len() > 8 { format!("{shown} and {} more", names.len() - 8) } else { shown }
}
