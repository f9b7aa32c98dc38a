//! Selection of columns of a schema.

use std::collections::HashMap;

use super::{Field, Kind, NodeId, Schema, column_name};

impl Schema {
    /// Returns the schema with these columns only, in this order. Names that are no columns are skipped. If the root is not
    /// a record, or contains itself, the schema is returned as it is.
    ///
    /// ```
    /// let schema: polars_avro::Schema = r#"{"type": "record", "name": "R", "fields": [
    ///     {"name": "a", "type": {"type": "fixed", "name": "F", "size": 2}}, {"name": "b", "type": "F"}
    /// ]}"#.parse()?;
    /// let b = schema.select_columns(&["b"]);
    /// assert_eq!(b.canonical_form(), r#"{"name":"R","type":"record","fields":[{"name":"b","type":{"name":"F","type":"fixed","size":2}}]}"#);
    /// # Ok::<(), polars_avro::Error>(())
    /// ```
    #[must_use]
    pub fn select_columns(&self, names: &[impl AsRef<str>]) -> Self {
        let mut selected = self.clone();
        let root = self.root.index();
        if let Kind::Record(record) = &mut selected.nodes[root].kind
            && !self.nodes.iter().any(|node| refers_to(&node.kind, self.root))
        {
            let mut fields: HashMap<String, Field> =
                record.fields.drain(..).map(|field| (column_name(&field).to_owned(), field)).collect();
            record.fields = names.iter().filter_map(|name| fields.remove(name.as_ref())).collect();
        }
        selected
    }
}

fn refers_to(kind: &Kind, id: NodeId) -> bool {
    match kind {
        Kind::Array(inner) | Kind::Map(inner) => *inner == id,
        Kind::Union(branches) => branches.contains(&id),
        Kind::Record(record) => record.fields.iter().any(|field| field.schema == id),
        _ => false,
    }
}
