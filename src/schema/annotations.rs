//! Attributes of other tools that define a logical type.

use std::sync::Arc;

use serde_json::Value;

use super::restored::{DTYPE, TIME_ZONE};
use super::{Kind, Logical, NodeId, Properties, Schema};
use crate::{Error, Result};

/// Logical types by the attributes that other tools annotate them with.
///
/// ```
/// use polars_avro::arrow::{ArrowDataType, Field};
/// use polars_avro::{Annotations, ContainerFile, MemorySink, OpenOptions, Schema, WriteOptions, Writer};
///
/// // Debezium writes a long, and says what it means in an attribute of its own.
/// let schema: Schema = r#"{"type": "record", "name": "Row", "fields": [
///     {"name": "at", "type": {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}}
/// ]}"#.parse()?;
/// let fields = [Field::new("at".into(), ArrowDataType::Int64, true)];
/// let sink = MemorySink::new();
/// let options = WriteOptions::default().with_schema(schema);
/// Writer::create(|| Ok(Box::new(sink.clone())), &fields, &[], &options)?.finish()?;
///
/// let micros = r#"{"type": "long", "logicalType": "local-timestamp-micros"}"#;
/// let annotations = Annotations::default().with("connect.name", "io.debezium.time.MicroTimestamp", micros)?;
/// let options = OpenOptions::default().with_annotations(annotations);
/// let file = ContainerFile::open(sink.take().concat(), &options)?;
/// assert!(matches!(file.fields()[0].dtype(), ArrowDataType::Timestamp(_, None)));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Annotations(Vec<Annotation>);

#[derive(Clone, Debug)]
struct Annotation {
    key: String,
    value: String,
    meaning: Arc<Properties>,
}

impl Annotations {
    /// Adds an annotation: a type whose attribute `key` has the text `value` is read as the type `meaning`, in JSON. Of
    /// annotations with one key and value the last one counts.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::ErrorKind::Argument) if `meaning` is not a JSON object.
    pub fn with(mut self, key: &str, value: &str, meaning: &str) -> Result<Self> {
        match serde_json::from_str(meaning) {
            Ok(Value::Object(meaning)) => {
                self.0.push(Annotation { key: key.to_owned(), value: value.to_owned(), meaning: Arc::new(meaning) });
                Ok(self)
            }
            _ => Err(Error::argument(format!("the meaning of {value:?} is not the JSON object of a type: {meaning}"))),
        }
    }

    fn of(&self, properties: &Properties) -> Option<&Annotation> {
        let is_meant = |annotation: &&Annotation| {
            properties.get(&annotation.key).and_then(Value::as_str) == Some(annotation.value.as_str())
        };
        self.0.iter().rev().find(is_meant)
    }
}

impl Schema {
    /// Returns the schema in which annotated types have their logical types.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) if a type cannot have the meaning of its annotation.
    pub fn annotated(mut self, annotations: &Annotations) -> Result<Self> {
        for id in self.ids().collect::<Vec<_>>() {
            if let Some(annotation) = annotations.of(&self.node(id).properties) {
                let properties = self.meaning(id, annotation)?;
                let node = &mut self.nodes[id.index()];
                node.logical = Logical::read(&node.kind, &properties).or(node.logical);
                let accounted = node.logical.map_or(&[][..], Logical::keys);
                let kept = properties.into_iter().filter(|(key, _)| !accounted.contains(&key.as_str()));
                node.properties.extend(kept);
            }
        }
        Ok(self)
    }

    /// Returns the attributes that give a type the meaning of its annotation.
    fn meaning(&self, id: NodeId, annotation: &Annotation) -> Result<Properties> {
        let (kind, meaning) = (&self.node(id).kind, &annotation.meaning);
        let text = |key: &str| meaning.get(key).and_then(Value::as_str);
        let restored = |entries: &[(&str, &str)]| {
            entries.iter().map(|&(key, value)| (key.to_owned(), Value::from(value))).collect::<Properties>()
        };
        Ok(match (kind, text("type"), text("logicalType")) {
            (Kind::String, _, Some("local-timestamp-micros")) => restored(&[(DTYPE, "Datetime")]),
            (Kind::String, _, Some("timestamp-micros")) => restored(&[(DTYPE, "Datetime"), (TIME_ZONE, "UTC")]),
            (Kind::Record(_), Some("string"), None) => restored(&[(DTYPE, "String")]),
            (_, Some(wanted), _) if wanted == kind.type_name() => {
                let attributes = meaning.iter().filter(|(key, _)| *key != "type");
                attributes.map(|(key, value)| (key.clone(), value.clone())).collect()
            }
            _ => {
                let Annotation { key, value, .. } = annotation;
                let wanted = Value::Object(Properties::clone(meaning));
                let message =
                    format!("a {} annotated with {key} {value:?} cannot be read as {wanted}", kind.type_name());
                return Err(Error::schema(message));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotated_types_have_their_logical_types() {
        let micros = r#"{"type": "long", "logicalType": "timestamp-micros"}"#;
        let annotations = Annotations::default().with("k", "micros", micros).unwrap();
        let annotated = |json: &str| json.parse::<Schema>().unwrap().annotated(&annotations);
        let of = |json: &str| annotated(json).map(|schema| schema.node(schema.root()).logical);
        assert_eq!(of(r#"{"type": "long", "k": "micros"}"#).unwrap(), Some(Logical::TimestampMicros));
        assert_eq!(of(r#"{"type": "long", "k": "other"}"#).unwrap(), None);
        assert!(of(r#"{"type": "int", "k": "micros"}"#).unwrap_err().message().contains("micros"));
        let text = annotated(r#"{"type": "string", "k": "micros"}"#).unwrap();
        assert_eq!(text.node(text.root()).properties[TIME_ZONE], "UTC");
        assert!(Annotations::default().with("k", "v", "\"long\"").is_err());
        // A schema that was annotated stays the same.
        let again = annotated(&text.to_json()).unwrap();
        assert_eq!(again.to_json(), text.to_json());
    }
}
