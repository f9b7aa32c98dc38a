//! The walk over one value's data that writes it as JSON.

use std::fmt::Write as _;

use super::JsonGraph;
use super::syntax::{Entries, push_float, push_member, push_string};
use crate::binary::{Fault, PADDING, read_array, read_int, read_length, read_long, read_slice};
use crate::decode::enumeration::unknown_symbol;
use crate::decode::list::{ItemBudget, check_item_block_end, read_item_block, remaining};
use crate::decode::scaled::too_far;
use crate::decode::skip::too_deep;
use crate::decode::symbol::Symbol;
use crate::decode::text::TextFormat;
use crate::schema::{Branch, FieldAction, Kind, ResolvedId, Wire};

/// Writes one value.
pub(super) struct Writer<'a> {
    pub(super) graph: &'a JsonGraph,
    pub(super) bytes: &'a [u8],
    pub(super) empty_items: &'a mut ItemBudget,
}

impl<'a> Writer<'a> {
    pub(super) fn write(&mut self, id: ResolvedId, pos: usize, depth: usize, out: &mut String) -> Result<usize, Fault> {
        if depth > self.graph.programs.data_depth {
            return Err(too_deep());
        }
        let node = &self.graph.resolution.nodes[id.0 as usize];
        match &node.wire {
            Wire::Null => out.push_str("null"),
            Wire::Boolean => {
                let ([byte], pos) = read_array::<1>(self.bytes, pos)?;
                match byte {
                    0 => out.push_str("false"),
                    1 => out.push_str("true"),
                    _ => return Err(Fault::data(format!("boolean byte {byte:#04x} is neither 0 nor 1"))),
                }
                return Ok(pos);
            }
            Wire::Int | Wire::Long | Wire::Scaled(_) => return self.write_integer(id, pos, out),
            Wire::Float => {
                let (float, pos) = read_array::<4>(self.bytes, pos)?;
                push_float(f32::from_le_bytes(*float), out);
                return Ok(pos);
            }
            Wire::Double => {
                let (double, pos) = read_array::<8>(self.bytes, pos)?;
                let double = f64::from_le_bytes(*double);
                match self.reader_kind(id) {
                    Kind::Float => push_float(double as f32, out),
                    _ => push_float(double, out),
                }
                return Ok(pos);
            }
            Wire::Bytes | Wire::String => {
                let (len, pos) = read_length(self.bytes, pos)?;
                return self.write_bytes(id, pos, len, out);
            }
            Wire::Fixed(size) => return self.write_bytes(id, pos, *size, out),
            Wire::Enum(symbols) => return self.write_symbol(id, symbols, pos, out),
            Wire::Symbol(symbols) => {
                let mut text = String::new();
                let pos = Symbol::new(symbols).write(self.bytes, pos, &mut text)?;
                push_string(&text, out);
                return Ok(pos);
            }
            Wire::Array(item) => return self.write_items(*item, false, pos, depth, out),
            Wire::Map(value) => return self.write_items(*value, true, pos, depth, out),
            Wire::Record { fields, defaults } => return self.write_record(id, fields, defaults, pos, depth, out),
            Wire::Union(branches) => return self.write_branch(branches, pos, depth, out),
            Wire::IntoUnion { value, .. } => return self.write(*value, pos, depth + 1, out),
        }
        Ok(pos)
    }

    fn reader_kind(&self, id: ResolvedId) -> &'a Kind {
        &self.graph.reader.node(self.graph.resolution.nodes[id.0 as usize].reader).kind
    }

    fn write_integer(&mut self, id: ResolvedId, pos: usize, out: &mut String) -> Result<usize, Fault> {
        let (number, pos) = match self.graph.resolution.nodes[id.0 as usize].wire {
            Wire::Int => read_int(self.bytes, pos).map(|(int, pos)| (i64::from(int), pos))?,
            Wire::Scaled(scale) => {
                let (number, pos) = read_long(self.bytes, pos)?;
                (scale.apply(number).ok_or_else(|| too_far(number))?, pos)
            }
            _ => read_long(self.bytes, pos)?,
        };
        match self.reader_kind(id) {
            Kind::Float => push_float(number as f32, out),
            Kind::Double => push_float(number as f64, out),
            _ => write!(out, "{number}").expect("writing to a String cannot fail"),
        }
        Ok(pos)
    }

    fn write_bytes(&mut self, id: ResolvedId, pos: usize, len: usize, out: &mut String) -> Result<usize, Fault> {
        let (value, pos) = read_slice(self.bytes, pos, len)?;
        if matches!(self.reader_kind(id), Kind::String) {
            push_string(simdutf8::basic::from_utf8(value).map_err(|_| Fault::data("string is not valid UTF-8"))?, out);
        } else {
            push_string(&value.iter().copied().map(char::from).collect::<String>(), out);
        }
        Ok(pos)
    }

    fn write_symbol(
        &mut self,
        id: ResolvedId,
        of_writer: &[Result<usize, String>],
        pos: usize,
        out: &mut String,
    ) -> Result<usize, Fault> {
        let (index, pos) = read_long(self.bytes, pos)?;
        let Kind::Enum(symbols) = self.reader_kind(id) else { unreachable!("an enum resolves with an enum") };
        match usize::try_from(index).ok().and_then(|index| of_writer.get(index)) {
            Some(Ok(symbol)) => push_string(&symbols.symbols[*symbol], out),
            Some(Err(symbol)) => return Err(unknown_symbol(index, symbol)),
            None => return Err(Fault::index("enum", index, of_writer.len())),
        }
        Ok(pos)
    }

    /// Writes the items of an array, or the entries of a map if `keyed`.
    fn write_items(
        &mut self,
        item: ResolvedId,
        keyed: bool,
        mut pos: usize,
        depth: usize,
        out: &mut String,
    ) -> Result<usize, Fault> {
        let empty = !keyed && self.is_empty(item);
        let mut entries = Entries::default();
        out.push(if keyed { '{' } else { '[' });
        let first = out.len();
        loop {
            let (count, end, start) = read_item_block(self.bytes, pos)?;
            pos = start;
            let mut bytes = ItemBudget::BYTES;
            let budget = if empty { &mut *self.empty_items } else { &mut bytes };
            budget.check(count, remaining(self.bytes, pos))?;
            for _ in 0..count {
                if keyed {
                    pos = self.write_entry(item, &mut entries, pos, depth)?;
                    continue;
                }
                if out.len() > first {
                    out.push(',');
                }
                pos = self.write(item, pos, depth + 1, out).map_err(Fault::in_item)?;
            }
            check_item_block_end(end, pos)?;
            if count == 0 {
                break;
            }
        }
        entries.write(out);
        out.push(if keyed { '}' } else { ']' });
        Ok(pos)
    }

    fn write_entry(
        &mut self,
        value: ResolvedId,
        entries: &mut Entries,
        pos: usize,
        depth: usize,
    ) -> Result<usize, Fault> {
        let (len, pos) = read_length(self.bytes, pos)?;
        let (key, pos) = read_slice(self.bytes, pos, len)?;
        let key = simdutf8::basic::from_utf8(key).map_err(|_| Fault::data("map key is not valid UTF-8"))?;
        let mut text = String::new();
        let pos = self.write(value, pos, depth + 1, &mut text).map_err(Fault::in_item)?;
        entries.set(key, text);
        Ok(pos)
    }

    fn write_record(
        &mut self,
        id: ResolvedId,
        fields: &[FieldAction],
        defaults: &[(usize, Option<Vec<u8>>)],
        mut pos: usize,
        depth: usize,
        out: &mut String,
    ) -> Result<usize, Fault> {
        let Kind::Record(record) = self.reader_kind(id) else { unreachable!("a record resolves with a record") };
        let mut texts = vec![String::new(); record.fields.len()];
        for action in fields {
            pos = match action {
                FieldAction::Skip(writer) => {
                    self.graph.programs.skip(self.graph.programs.of(*writer), self.bytes, pos)?
                }
                FieldAction::Read { field, value } => self
                    .write(*value, pos, depth + 1, &mut texts[*field])
                    .map_err(|fault| fault.in_field(&record.fields[*field].name))?,
            };
        }
        for (field, datum) in defaults {
            let Some(datum) = datum else {
                texts[*field].push_str("null");
                continue;
            };
            let padded = [datum.as_slice(), &[0; PADDING]].concat();
            let mut writer = Writer { graph: self.graph, bytes: &padded, empty_items: &mut *self.empty_items };
            let own = self.graph.resolution.own(record.fields[*field].schema);
            writer.write(own, 0, depth + 1, &mut texts[*field])?;
        }
        out.push('{');
        for (i, (field, text)) in record.fields.iter().zip(&texts).enumerate() {
            if i > 0 {
                out.push(',');
            }
            push_member(&field.name, text, out);
        }
        out.push('}');
        Ok(pos)
    }

    fn write_branch(
        &mut self,
        branches: &[Branch],
        pos: usize,
        depth: usize,
        out: &mut String,
    ) -> Result<usize, Fault> {
        let (index, pos) = read_long(self.bytes, pos)?;
        match usize::try_from(index).ok().and_then(|index| branches.get(index)) {
            Some(Branch::Read { value, .. }) => self.write(*value, pos, depth + 1, out),
            Some(Branch::Null) => {
                out.push_str("null");
                Ok(pos)
            }
            Some(Branch::Skip(writer)) => {
                out.push_str("null");
                self.graph.programs.skip(self.graph.programs.of(*writer), self.bytes, pos)
            }
            Some(Branch::Refuse(reason)) => Err(reason.fault()),
            None => Err(Fault::index("union", index, branches.len())),
        }
    }

    /// Returns true if values of this type take no bytes. Items of a default count as such too, as only the default
    /// itself bounds them.
    fn is_empty(&self, id: ResolvedId) -> bool {
        let node = &self.graph.resolution.nodes[id.0 as usize];
        node.writer_is_reader || self.graph.programs.of(node.writer).is_empty()
    }
}
