//! Categories and enums in the metadata of Arrow fields, in the format of Polars.

use std::fmt::Write as _;

use polars_arrow::datatypes::{DTYPE_CATEGORICAL_NEW, DTYPE_ENUM_VALUES_NEW, Field, Metadata};

use crate::schema::{Categories, physical};

/// Returns the metadata that makes a dictionary of strings a `pl.Enum` with these categories in this order.
///
/// Polars reads `<length in bytes>;<category>` for each of them.
pub(crate) fn enum_metadata(categories: &[String]) -> Metadata {
    let mut text = String::new();
    for category in categories {
        push_counted(&mut text, category);
    }
    Metadata::from([(DTYPE_ENUM_VALUES_NEW.into(), text.as_str().into())])
}

/// Returns the categories of a `pl.Enum` in their order; `None` for other fields.
pub(crate) fn enum_categories(field: &Field) -> Option<Vec<String>> {
    let mut rest = field.metadata.as_ref()?.get(DTYPE_ENUM_VALUES_NEW)?.as_str();
    let mut categories = Vec::new();
    while !rest.is_empty() {
        let (category, after) = take_counted(rest)?;
        categories.push(category.to_owned());
        rest = after;
    }
    Some(categories)
}

impl Categories {
    /// Returns the categories of a `pl.Categorical`; `None` for other fields.
    pub(crate) fn of(field: &Field) -> Option<Self> {
        let text = field.metadata.as_ref()?.get(DTYPE_CATEGORICAL_NEW)?.as_str();
        let (name, rest) = take_counted(text)?;
        let (namespace, rest) = take_counted(rest)?;
        let physical = physical(rest.strip_suffix(';')?)?;
        Some(Self { name: name.to_owned(), namespace: namespace.to_owned(), physical })
    }

    /// Returns the metadata that makes a dictionary of strings a `pl.Categorical` of these categories.
    pub(crate) fn metadata(&self) -> Metadata {
        let mut text = String::new();
        push_counted(&mut text, &self.name);
        push_counted(&mut text, &self.namespace);
        write!(text, "{};", self.physical_name()).expect("writing to a String cannot fail");
        Metadata::from([(DTYPE_CATEGORICAL_NEW.into(), text.as_str().into())])
    }
}

fn push_counted(out: &mut String, text: &str) {
    write!(out, "{};{text}", text.len()).expect("writing to a String cannot fail");
}

/// Splits off the first text, which follows its length.
fn take_counted(text: &str) -> Option<(&str, &str)> {
    let (len, rest) = text.split_once(';')?;
    rest.split_at_checked(len.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use polars_arrow::datatypes::{ArrowDataType, IntegerType};

    use super::*;

    fn field(metadata: Metadata) -> Field {
        Field::new("a".into(), ArrowDataType::Null, true).with_metadata(metadata)
    }

    #[test]
    fn categories_are_read_back() {
        for categories in [vec![], vec!["a;b".to_owned(), String::new(), "é".to_owned()]] {
            assert_eq!(enum_categories(&field(enum_metadata(&categories))).unwrap_or_default(), categories);
        }
        let named = Categories { name: "x;1".to_owned(), namespace: "é".to_owned(), physical: IntegerType::UInt8 };
        for categories in [Categories::global(), named] {
            assert_eq!(Categories::of(&field(categories.metadata())), Some(categories.clone()));
            assert_eq!(Categories::from_json(categories.to_json().as_ref()), Some(categories));
        }
    }
}
