//! Avro schemas: JSON to a validated, frozen graph and back; canonical form, fingerprints, resolution.
//!
//! A [`Schema`] is an arena. A named type with many uses is one node that many nodes refer to, so a recursive type is a
//! cycle. The modules above this one follow [`NodeId`]s and never handle JSON.

mod annotations;
mod canonical;
mod columns;
mod datum;
mod fingerprint;
mod json;
mod logical;
mod name;
mod parse;
mod resolution;
mod restored;
mod typed;
mod union;
mod validation;

use serde_json::Value;

pub use annotations::Annotations;
pub(crate) use datum::encode_one_default;
pub use fingerprint::Fingerprint;
pub use logical::Logical;
pub use name::Name;
pub(crate) use resolution::{
    Branch, FailureMessage, FieldAction, Resolution, Resolved, ResolvedId, Scale, Wire, resolve,
};
pub use resolution::{Evolution, Extra, FieldMatching, Incompatibility, Missing};
pub(crate) use restored::{Categories, Restored, column_name, full_name, note_name, physical};

/// JSON attributes of a schema that the specification does not define, in their order.
///
/// ```
/// let schema: polars_avro::Schema = r#"{"type": "int", "unit": "m"}"#.parse()?;
/// assert_eq!(schema.node(schema.root()).properties["unit"], "m");
/// # Ok::<(), polars_avro::Error>(())
/// ```
pub type Properties = serde_json::Map<String, Value>;

/// A validated, immutable Avro schema. Cheap to share in an `Arc`.
///
/// ```
/// use polars_avro::Schema;
/// use polars_avro::schema::Kind;
///
/// let schema: Schema = r#"["null", {"type": "array", "items": "long"}]"#.parse()?;
/// let Kind::Union(branches) = &schema.node(schema.root()).kind else { panic!() };
/// assert_eq!(schema.node(branches[1]).kind.type_name(), "array");
/// assert_eq!(schema.canonical_form(), r#"["null",{"type":"array","items":"long"}]"#);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Schema {
    nodes: Vec<Node>,
    root: NodeId,
    /// A type that the text defines twice, with equal definitions.
    redefined: Option<Name>,
    /// True if the text has a type inside another one.
    is_nested: bool,
}

/// Identifies one type of a [`Schema`].
///
/// ```
/// let schema: polars_avro::Schema = r#"["null", "long"]"#.parse()?;
/// assert_eq!(schema.ids().map(|id| id.index()).collect::<Vec<_>>(), [0, 1, 2]);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// Returns the type's number in its schema, counted from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One type of a [`Schema`].
///
/// ```
/// use polars_avro::schema::Logical;
///
/// let schema: polars_avro::Schema = r#"{"type": "int", "logicalType": "date"}"#.parse()?;
/// assert_eq!(schema.node(schema.root()).logical, Some(Logical::Date));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Node {
    /// The type itself.
    pub kind: Kind,
    /// The logical type, if it is valid for this type. Otherwise it is ignored, as the specification requires.
    pub logical: Option<Logical>,
    /// Attributes the specification does not define, and logical types that are unknown or not valid here.
    pub properties: Properties,
}

/// The types of the specification, "Schema Declaration".
///
/// ```
/// use polars_avro::schema::Kind;
///
/// let schema: polars_avro::Schema = r#"{"type": "map", "values": "bytes"}"#.parse()?;
/// let Kind::Map(values) = schema.node(schema.root()).kind else { panic!() };
/// assert!(matches!(schema.node(values).kind, Kind::Bytes));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the specification's own words")]
pub enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(NodeId),
    Map(NodeId),
    Union(Vec<NodeId>),
    Fixed(Fixed),
    Enum(Enum),
    Record(Record),
}

/// A named type of `size` bytes.
///
/// ```
/// use polars_avro::schema::Kind;
///
/// let schema: polars_avro::Schema = r#"{"type": "fixed", "name": "Hash", "size": 16}"#.parse()?;
/// let Kind::Fixed(fixed) = &schema.node(schema.root()).kind else { panic!() };
/// assert_eq!((fixed.name.fullname(), fixed.size), ("Hash", 16));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the specification's own words")]
pub struct Fixed {
    pub name: Name,
    pub aliases: Vec<Name>,
    pub doc: Option<String>,
    pub size: usize,
}

/// One of a list of symbols.
///
/// ```
/// use polars_avro::schema::Kind;
///
/// let json = r#"{"type": "enum", "name": "Sky", "symbols": ["CLEAR", "RAIN"], "default": "RAIN"}"#;
/// let schema: polars_avro::Schema = json.parse()?;
/// let Kind::Enum(sky) = &schema.node(schema.root()).kind else { panic!() };
/// assert_eq!((sky.symbols.len(), sky.default), (2, Some(1)));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the specification's own words")]
pub struct Enum {
    pub name: Name,
    pub aliases: Vec<Name>,
    pub doc: Option<String>,
    pub symbols: Vec<String>,
    /// Index into `symbols`.
    pub default: Option<usize>,
}

/// Named fields in order. An `error` record is a record.
///
/// ```
/// use polars_avro::schema::Kind;
///
/// let json = r#"{"type": "record", "name": "shop.Order", "fields": [{"name": "id", "type": "long"}]}"#;
/// let schema: polars_avro::Schema = json.parse()?;
/// let Kind::Record(order) = &schema.node(schema.root()).kind else { panic!() };
/// assert_eq!((order.name.namespace(), order.fields.len()), (Some("shop"), 1));
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the specification's own words")]
pub struct Record {
    pub name: Name,
    pub aliases: Vec<Name>,
    pub doc: Option<String>,
    pub is_error: bool,
    pub fields: Vec<Field>,
}

/// One field of a [`Record`].
///
/// ```
/// use polars_avro::schema::{Field, Kind};
///
/// let json = r#"{"type": "record", "name": "A", "fields": [{"name": "id", "type": "long", "default": 7}]}"#;
/// let schema: polars_avro::Schema = json.parse()?;
/// let Kind::Record(record) = &schema.node(schema.root()).kind else { panic!() };
/// let Field { name, schema: id, default, .. } = &record.fields[0];
/// assert_eq!((name.as_str(), schema.node(*id).kind.type_name()), ("id", "long"));
/// assert_eq!(default.as_ref().unwrap(), 7);
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the specification's own words")]
pub struct Field {
    pub name: String,
    pub aliases: Vec<String>,
    pub doc: Option<String>,
    pub schema: NodeId,
    /// The default as unchecked JSON. Existing files have defaults of another type than the field's, so it is checked
    /// only when a resolution needs it.
    pub default: Option<Value>,
    pub order: Option<String>,
    pub properties: Properties,
}

impl Schema {
    /// Returns the root type of the schema.
    #[must_use]
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// Returns one type.
    ///
    /// # Panics
    /// If `id` comes from another, larger schema.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Returns every type, in the order of the schema's text.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// Returns the same types without `doc` and `aliases`, on which no value depends, and without the default `order`.
    pub(crate) fn without_notes(&self) -> Self {
        let mut schema = self.clone();
        for node in &mut schema.nodes {
            // A `doc` that is not a string is a property.
            node.properties.remove("doc");
            match &mut node.kind {
                Kind::Record(record) => {
                    (record.doc, record.aliases) = (None, Vec::new());
                    for field in &mut record.fields {
                        (field.doc, field.aliases) = (None, Vec::new());
                        field.order.take_if(|order| order == "ascending");
                        field.properties.remove("doc");
                    }
                }
                Kind::Enum(symbols) => (symbols.doc, symbols.aliases) = (None, Vec::new()),
                Kind::Fixed(fixed) => (fixed.doc, fixed.aliases) = (None, Vec::new()),
                _ => {}
            }
        }
        schema
    }

    /// Returns the number of types in the schema.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns false: a schema has at least one type.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

impl Kind {
    /// Returns the name of a record, an enum or a fixed.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::Record(record) => Some(&record.name),
            Self::Enum(symbols) => Some(&symbols.name),
            Self::Fixed(fixed) => Some(&fixed.name),
            _ => None,
        }
    }

    /// Returns the specification's name of this kind of type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
            Self::Fixed(_) => "fixed",
            Self::Enum(_) => "enum",
            Self::Record(_) => "record",
        }
    }
}
