//! Finds the field at which the data of a block or a datum ends too early, or that cannot be skipped.
//!
//! The decoder reads on into the padding after the data and reports what it finds there. It also skips several fields in
//! one step, whose names it does not know. This walk stays within the data, and knows every field.

use std::fmt::Write as _;

use super::skipped::UNREAD;
use crate::binary::{Fault, data_end};
use crate::container::{NoLong, long};
use crate::schema::{Fixed, Kind, NodeId, Schema};

/// The maximum depth of the walk into nested values.
const DEPTH: usize = 512;

/// Returns the fault of a value that begins at `pos`: a better one than `fault` if the data is too short for the value, and
/// the path of a field that the decoder skips. `what` is the name of the data: a block or a datum.
#[cold]
pub(crate) fn explained(fault: Fault, what: &str, writer: &Schema, data: &[u8], pos: usize) -> Fault {
    let Some(data) = data.get(..data_end(data)).filter(|data| pos <= data.len()) else { return fault };
    let mut walk = Walk { schema: writer, data, depth: 0 };
    let Err(Stop { short, path }) = walk.value(writer.root(), pos) else { return fault };
    let along = |fault| {
        let within = |fault: Fault, name: &String| if name == ITEM { fault.in_item() } else { fault.in_field(name) };
        path.iter().fold(fault, within)
    };
    let Some(inside) = short else {
        return match path.last() {
            _ if !fault.is_in(UNREAD) => fault,
            _ if fault.is_data() => along(fault.without_path()),
            // The walk goes on beyond a limit, so only the outermost field is certain.
            Some(field) => fault.without_path().in_field(field),
            None => fault,
        };
    };
    let preposition = if inside { "inside" } else { "before" };
    let text = path.iter().rev().fold(String::new(), |mut path, name| {
        let dot = if path.is_empty() || name == ITEM { "" } else { "." };
        write!(path, "{dot}{name}").expect("writing to a String cannot fail");
        path
    });
    let field = if text.is_empty() { "the value".to_owned() } else { format!("field `{text}`") };
    along(Fault::short(format!("the {what} ends {preposition} {field}")))
}

const ITEM: &str = "[]";

/// The place at which the walk stops before the end of a record.
struct Stop {
    /// Whether the data ends inside a value or before it; `None` if there is another fault, or the walk would take too long.
    short: Option<bool>,
    /// The path of the value, from the inside out.
    path: Vec<String>,
}

impl Stop {
    fn other() -> Self {
        Self { short: None, path: Vec::new() }
    }

    fn within(mut self, name: &str) -> Self {
        self.path.push(name.to_owned());
        self
    }
}

struct Walk<'a> {
    schema: &'a Schema,
    data: &'a [u8],
    depth: usize,
}

impl Walk<'_> {
    /// Returns the position after a value of this type.
    fn value(&mut self, id: NodeId, pos: usize) -> Result<usize, Stop> {
        if self.depth == DEPTH {
            return Err(Stop::other());
        }
        self.depth += 1;
        let end = match &self.schema.node(id).kind {
            Kind::Null => Ok(pos),
            Kind::Boolean => self.bytes(pos, 1),
            Kind::Int | Kind::Long | Kind::Enum(_) => self.long(pos).map(|(_, pos)| pos),
            Kind::Float => self.bytes(pos, 4),
            Kind::Double => self.bytes(pos, 8),
            Kind::Fixed(Fixed { size, .. }) => self.bytes(pos, *size),
            Kind::Bytes | Kind::String => self.blob(pos),
            Kind::Array(item) => self.items(*item, false, pos),
            Kind::Map(value) => self.items(*value, true, pos),
            Kind::Union(branches) => self.long(pos).and_then(|(index, pos)| {
                let branch = usize::try_from(index).ok().and_then(|index| branches.get(index));
                branch.map_or_else(|| Err(Stop::other()), |branch| self.value(*branch, pos))
            }),
            Kind::Record(record) => record
                .fields
                .iter()
                .try_fold(pos, |pos, field| self.value(field.schema, pos).map_err(|stop| stop.within(&field.name))),
        };
        self.depth -= 1;
        end
    }

    fn items(&mut self, item: NodeId, keyed: bool, mut pos: usize) -> Result<usize, Stop> {
        loop {
            let (count, after) = self.long(pos)?;
            pos = after;
            if count == 0 {
                return Ok(pos);
            }
            if count < 0 {
                pos = self.long(pos)?.1;
            }
            let count = count.unsigned_abs();
            let too_many = count > self.data.len() as u64;
            for _ in 0..count {
                let start = pos;
                let value = if keyed { self.blob(pos) } else { Ok(pos) };
                // If the count exceeds the size of the block, the count is the fault.
                let within = |stop: Stop| if too_many { Stop::other() } else { stop.within(ITEM) };
                pos = value.and_then(|pos| self.value(item, pos)).map_err(within)?;
                if pos == start {
                    // The items take no bytes.
                    break;
                }
            }
        }
    }

    fn blob(&self, pos: usize) -> Result<usize, Stop> {
        let (len, pos) = self.long(pos)?;
        let left = self.data.len() - pos;
        // If the length was read and is too large, the length is the fault.
        usize::try_from(len).ok().filter(|&len| len <= left).map(|len| pos + len).ok_or_else(Stop::other)
    }

    fn long(&self, pos: usize) -> Result<(i64, usize), Stop> {
        long(self.data, pos).map_err(|stop| match stop {
            NoLong::Incomplete => self.short(pos),
            NoLong::Overflow => Stop::other(),
        })
    }

    fn bytes(&self, pos: usize, n: usize) -> Result<usize, Stop> {
        if n <= self.data.len() - pos { Ok(pos + n) } else { Err(self.short(pos)) }
    }

    fn short(&self, pos: usize) -> Stop {
        Stop { short: Some(pos < self.data.len()), path: Vec::new() }
    }
}
