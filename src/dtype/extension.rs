//! Extension types: a storage type with a name, in the metadata of an Arrow field and as a property of the Avro type.

use std::borrow::Cow;

use polars_arrow::datatypes::{ArrowDataType, Field, Metadata};
use serde_json::{Value, json};

use crate::schema::Properties;

const PROPERTY: &str = "polars.extension";
const NAME: &str = "ARROW:extension:name";
const METADATA: &str = "ARROW:extension:metadata";

/// Returns the field with the dtype of its storage.
pub(crate) fn storage(field: &Field) -> Cow<'_, Field> {
    match field.dtype() {
        ArrowDataType::Extension(extension) => Cow::Owned(field.with_dtype(extension.inner.clone())),
        _ => Cow::Borrowed(field),
    }
}

/// Adds the extension type of a field to the Avro type of its storage. An extension type of categories is written as
/// its storage only, as Polars cannot import it from Arrow.
pub(super) fn note(field: &Field, storage: Value) -> Value {
    let ArrowDataType::Extension(extension) = field.dtype() else { return storage };
    if matches!(extension.inner, ArrowDataType::Dictionary(..)) {
        return storage;
    }
    let mut object = match storage {
        Value::Object(object) => object,
        word => Properties::from_iter([("type".to_owned(), word)]),
    };
    let metadata = extension.metadata.as_ref().map(polars_utils::pl_str::PlSmallStr::as_str);
    object.insert(PROPERTY.to_owned(), json!({"name": extension.name.as_str(), "metadata": metadata}));
    object.into()
}

/// Returns the metadata that gives a field the extension type of its Avro type, if it has one.
pub(crate) fn extension_metadata(properties: &Properties) -> Option<Metadata> {
    let extension = properties.get(PROPERTY)?;
    let mut metadata = Metadata::from([(NAME.into(), extension.get("name")?.as_str()?.into())]);
    if let Some(text) = extension.get("metadata").and_then(Value::as_str) {
        metadata.insert(METADATA.into(), text.into());
    }
    Some(metadata)
}
