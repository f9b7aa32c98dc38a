//! Files of some columns, the same bytes every time.

use std::sync::Arc;

use polars_avro::{ContainerFile, MemorySource, OpenOptions, ReadOptions};
use serde_json::{Value as Json, json};

use crate::choices::Choices;
use crate::container::{Container, put_long};
use crate::kinds::{Branch, KINDS, Kind, NESTED, SIMPLE};

/// Bytes after which Java's writer closes a block.
pub(crate) const JAVA_BLOCK: usize = 64_000;
pub(crate) const ONE_BLOCK: usize = usize::MAX;

/// A field of the root record.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: &'static Kind,
    pub(crate) nullable: bool,
}

impl Column {
    /// Whether there is nothing in it but nulls anyway.
    pub(crate) fn is_null(&self) -> bool {
        self.kind.branches.iter().all(|branch| branch.schema == "null")
    }

    /// The field's declaration. Types that need a name are named after the field.
    fn schema(&self) -> Json {
        let branch = |branch: &Branch| {
            let declaration = branch.schema.replace("NAME", &self.name);
            if declaration.starts_with('{') { serde_json::from_str(&declaration).unwrap() } else { declaration.into() }
        };
        let mut branches: Vec<Json> = self.kind.branches.iter().map(branch).collect();
        if self.nullable {
            branches.insert(0, "null".into());
        }
        let ty = if branches.len() == 1 { branches.remove(0) } else { branches.into() };
        json!({"name": self.name, "type": ty})
    }

    /// One value; one in five is null where that may be.
    fn write(&self, choices: &mut Choices, out: &mut Vec<u8>) {
        let branches = self.kind.branches;
        if self.nullable && choices.one_in(5) {
            return put_long(out, 0);
        }
        let branch = choices.below(branches.len());
        if self.nullable || branches.len() > 1 {
            put_long(out, (branch + usize::from(self.nullable)) as i64);
        }
        (branches[branch].write)(choices, out);
    }
}

/// Six plain columns.
pub(crate) fn simple() -> Vec<Column> {
    let column = |name: &&'static str| Column { name: (*name).into(), kind: kind(&KINDS, name), nullable: false };
    SIMPLE.iter().map(column).collect()
}

/// A hundred columns: every kind in turn, every third time nullable. Nulls take no time and recursive types, which become
/// text, take most of it; neither is in.
pub(crate) fn mixed() -> Vec<Column> {
    let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| !["null", "recursive"].contains(&kind.name)).collect();
    let column =
        |i: usize| Column { name: format!("c{i:03}"), kind: kinds[i % kinds.len()], nullable: i.is_multiple_of(3) };
    (0..100).map(column).collect()
}

/// Records in records, arrays of records, maps.
pub(crate) fn nested() -> Vec<Column> {
    let column = |kind: &'static Kind| Column { name: kind.name.into(), kind, nullable: kind.name == "score" };
    NESTED.iter().map(column).collect()
}

fn schema(columns: &[Column]) -> String {
    let fields: Vec<Json> = columns.iter().map(Column::schema).collect();
    json!({"type": "record", "name": "row", "fields": fields}).to_string()
}

fn kind(kinds: &'static [Kind], name: &str) -> &'static Kind {
    kinds.iter().find(|kind| kind.name == name).unwrap()
}

/// A container file in memory.
pub(crate) struct Encoded {
    bytes: Vec<u8>,
    pub(crate) rows: usize,
    /// Bytes of all rows before compression.
    pub(crate) datum_bytes: usize,
}

impl Encoded {
    pub(crate) fn new(columns: &[Column], rows: usize, block_bytes: usize, codec: &str) -> Self {
        let schema = schema(columns);
        let mut container = Container::new(&schema, codec);
        let (mut choices, mut datums, mut count, mut datum_bytes) = (Choices::Seed(42), Vec::new(), 0, 0);
        for row in 1..=rows {
            for column in columns {
                column.write(&mut choices, &mut datums);
            }
            count += 1;
            if datums.len() >= block_bytes || row == rows {
                container = container.block(count, &datums);
                datum_bytes += datums.len();
                datums.clear();
                count = 0;
            }
        }
        Self { bytes: container.build(), rows, datum_bytes }
    }

    /// The schema, the rows one after the other without a container, and where each of them ends.
    pub(crate) fn datums(columns: &[Column], rows: usize) -> (String, Vec<u8>, Vec<usize>) {
        let (mut choices, mut datums) = (Choices::Seed(42), Vec::new());
        let mut write = |_| {
            for column in columns {
                column.write(&mut choices, &mut datums);
            }
            datums.len()
        };
        let ends = (0..rows).map(&mut write).collect();
        (schema(columns), datums, ends)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn open(&self) -> ContainerFile {
        let source = Arc::new(MemorySource::new(self.bytes.clone()));
        ContainerFile::open(source, &OpenOptions::default()).unwrap()
    }

    /// Options for reading one column, or all, on this thread.
    pub(crate) fn options(column: Option<&str>) -> ReadOptions {
        let mut options = ReadOptions::default();
        options.columns = column.map(|name| vec![name.to_owned()]);
        options.n_threads = Some(1);
        options
    }
}
