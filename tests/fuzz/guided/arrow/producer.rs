//! A producer of arrays of every type that the importer knows.

use std::ffi::c_void;
use std::ptr::null;

use super::c_data::{Arena, CArray, CSchema};
use super::values::Value;
use crate::choices::Choices;

/// Formats of values with a fixed width, and their widths in bytes.
const WIDTHS: [(&str, usize); 22] = [
    ("i", 4),
    ("l", 8),
    ("c", 1),
    ("C", 1),
    ("s", 2),
    ("S", 2),
    ("I", 4),
    ("L", 8),
    ("e", 2),
    ("f", 4),
    ("g", 8),
    ("tdD", 4),
    ("tdm", 8),
    ("tts", 4),
    ("ttn", 8),
    ("tDu", 8),
    ("tsu:", 8),
    ("tsn:UTC", 8),
    ("_pli128", 16),
    ("d:10,2", 16),
    ("d:9,2,32", 4),
    ("w:3", 3),
];
/// Texts and bytes between offsets, and whether these have 8 bytes.
const TEXTS: [(&str, bool); 4] = [("u", false), ("U", true), ("z", false), ("Z", true)];
const KEYS: [(&str, usize); 4] = [("C", 1), ("c", 1), ("I", 4), ("l", 8)];
const DEEPEST: usize = 4;

/// An array, its type, and its values from the first on.
pub struct Made {
    pub schema: CSchema,
    pub array: CArray,
    pub values: Vec<Value>,
}

/// What an array has besides its type: rows, those before them, and those that are null.
struct Shape {
    offset: usize,
    /// Rows with those before them.
    total: usize,
    is_valid: Vec<bool>,
}

pub struct Producer {
    choices: Choices,
    arena: Arena,
    may_extend: bool,
    /// Whether nothing breaks the rules.
    pub is_sound: bool,
    /// Whether the values are known if the array can be imported.
    pub is_known: bool,
}

impl Producer {
    pub fn new(choices: Choices) -> Self {
        Self { choices, arena: Arena::default(), may_extend: true, is_sound: true, is_known: true }
    }

    /// Returns an array of structs without nulls, and the number of its rows.
    pub fn rows(&mut self) -> (Made, usize) {
        let rows = self.choices.below(20);
        let made = self.record(rows, 0, false);
        (made, rows)
    }

    fn wrong(&mut self) -> bool {
        let wrong = self.choices.one_in(40);
        self.is_sound &= !wrong;
        wrong
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.choices.word() as u8).collect()
    }

    fn shape(&mut self, rows: usize, has_nulls: bool) -> Shape {
        let offset = self.choices.below(4) * self.choices.below(5);
        let total = offset + rows;
        let has_nulls = has_nulls && self.choices.one_in(2);
        let is_valid = (0..total).map(|_| !(has_nulls && self.choices.one_in(3))).collect();
        Shape { offset, total, is_valid }
    }

    /// Makes an array of at least these rows.
    fn node(&mut self, rows: usize, depth: usize) -> Made {
        let kinds = if depth < DEEPEST { 10 } else { 5 };
        match self.choices.below(kinds) {
            0 => self.fixed_width(rows),
            1 => self.text(rows),
            2 => self.views(rows),
            3 => self.boolean(rows),
            4 => self.null(rows),
            5 => self.record(rows, depth, true),
            6 => self.list(rows, depth),
            7 => self.fixed_list(rows, depth),
            8 => self.map(rows, depth),
            _ => self.dictionary(rows, depth),
        }
    }

    /// Puts an array together, and breaks a rule at times.
    fn made(
        &mut self,
        format: &str,
        shape: &Shape,
        buffers: Vec<*const c_void>,
        children: Vec<Made>,
        dictionary: Option<Made>,
        values: Vec<Value>,
    ) -> Made {
        let mut format = format.to_owned();
        if self.wrong() {
            let len = self.choices.below(6);
            format = String::from_utf8_lossy(&self.bytes(len)).into_owned();
            // Other buffers may be needed for another type.
            format.insert(0, '?');
        }
        let metadata = if std::mem::replace(&mut self.may_extend, true) { self.metadata() } else { Vec::new() };
        let (mut schemas, mut arrays) = (Vec::new(), Vec::new());
        for child in children {
            schemas.push(self.arena.keep(vec![child.schema]));
            arrays.push(self.arena.keep(vec![child.array]));
        }
        if !schemas.is_empty() && self.wrong() {
            schemas[0] = null();
        }
        if !arrays.is_empty() && self.wrong() {
            arrays[0] = null();
        }
        let mut n_children = schemas.len() as i64;
        if self.wrong() {
            n_children -= 1 + self.choices.below(2) as i64;
            // A struct then has fewer fields.
            self.is_known = false;
        }
        let (dictionary_schema, dictionary_array) =
            dictionary.map_or((None, None), |made| (Some(made.schema), Some(made.array)));
        let schema = self.arena.schema(&format, metadata, n_children, schemas, dictionary_schema);
        let mut array = self.arena.array(buffers, arrays, dictionary_array);
        array.length = (shape.total - shape.offset) as i64;
        array.offset = shape.offset as i64;
        if self.choices.one_in(2) {
            let nulls = shape.is_valid[shape.offset..].iter().filter(|is_valid| !**is_valid).count();
            array.null_count = nulls as i64;
        }
        self.break_array(&mut array);
        Made { schema, array, values }
    }

    fn break_array(&mut self, array: &mut CArray) {
        if !self.wrong() {
            return;
        }
        match self.choices.below(5) {
            0 => array.length = -1,
            1 => array.offset = i64::MIN,
            2 => array.length = (array.length - 1).max(0),
            3 => array.n_children -= 1,
            _ => {
                array.n_buffers -= 1 + self.choices.below(2) as i64;
                // Without a bitmap nothing is null.
                self.is_known = false;
            }
        }
    }

    /// Entries of metadata: now and then an extension type.
    fn metadata(&mut self) -> Vec<u8> {
        if !self.choices.one_in(16) {
            return Vec::new();
        }
        let mut bytes = 1i32.to_ne_bytes().to_vec();
        for text in ["ARROW:extension:name", "x"] {
            bytes.extend((text.len() as i32).to_ne_bytes());
            bytes.extend(text.as_bytes());
        }
        if self.wrong() {
            bytes[..4].copy_from_slice(&(-1i32).to_ne_bytes());
        }
        bytes
    }

    fn buffer(&mut self, bytes: Vec<u8>) -> *const c_void {
        let pointer = self.arena.keep(bytes).cast();
        if self.wrong() { null() } else { pointer }
    }

    fn bits(&mut self, bits: &[bool]) -> *const c_void {
        let byte = |bits: &[bool]| bits.iter().rev().fold(0u8, |byte, &bit| byte << 1 | u8::from(bit));
        self.arena.keep(bits.chunks(8).map(byte).collect::<Vec<_>>()).cast()
    }

    /// Returns the buffer of the validity, which may be missing if nothing is null.
    fn validity(&mut self, shape: &Shape) -> *const c_void {
        if shape.is_valid.iter().all(|&is_valid| is_valid) && self.choices.one_in(2) {
            return null();
        }
        self.bits(&shape.is_valid)
    }

    fn null(&mut self, rows: usize) -> Made {
        let shape = self.shape(rows, false);
        self.made("n", &shape, Vec::new(), Vec::new(), None, vec![Value::Null; rows])
    }

    fn boolean(&mut self, rows: usize) -> Made {
        let shape = self.shape(rows, true);
        let bits: Vec<bool> = (0..shape.total).map(|_| self.choices.one_in(2)).collect();
        let buffers = vec![self.validity(&shape), self.bits(&bits)];
        let values = shape.values(|row| Value::Bytes(vec![u8::from(bits[row])]));
        self.made("b", &shape, buffers, Vec::new(), None, values)
    }

    fn fixed_width(&mut self, rows: usize) -> Made {
        let (format, width) = self.choices.pick(&WIDTHS);
        let shape = self.shape(rows, true);
        let bytes = self.bytes(shape.total * width);
        let values = shape.values(|row| {
            let mut value = bytes[row * width..][..width].to_vec();
            if format.ends_with(",32") {
                let sign = if value[3] >= 128 { 255 } else { 0 };
                value.resize(16, sign);
            }
            Value::Bytes(value)
        });
        let buffers = vec![self.validity(&shape), self.buffer(bytes)];
        self.made(format, &shape, buffers, Vec::new(), None, values)
    }

    /// Returns offsets that divide items, one more than there are rows, and their buffer.
    fn offsets(&mut self, total: usize, is_large: bool) -> (Vec<usize>, *const c_void) {
        let mut offsets = vec![self.choices.below(3)];
        for row in 0..total {
            offsets.push(offsets[row] + self.choices.below(4));
        }
        let mut written: Vec<i64> = offsets.iter().map(|&offset| offset as i64).collect();
        if self.wrong() {
            let at = self.choices.below(written.len());
            // The items behind the last offset would be missing.
            written[at] = written[at].min(self.choices.below(8) as i64 - 4);
            self.is_known = false;
        }
        let bytes = if is_large {
            written.iter().flat_map(|offset| offset.to_le_bytes()).collect()
        } else {
            written.iter().flat_map(|&offset| (offset as i32).to_le_bytes()).collect()
        };
        let buffer = self.buffer(bytes);
        (offsets, buffer)
    }

    /// Returns bytes that are ASCII unless a rule is broken.
    fn characters(&mut self, len: usize) -> Vec<u8> {
        let is_raw = self.wrong();
        let bytes = self.bytes(len);
        if is_raw { bytes } else { bytes.into_iter().map(|byte| byte & 127).collect() }
    }

    fn text(&mut self, rows: usize) -> Made {
        let (format, is_large) = self.choices.pick(&TEXTS);
        let shape = self.shape(rows, true);
        let (offsets, buffer) = self.offsets(shape.total, is_large);
        let bytes = self.characters(offsets[shape.total]);
        let values = shape.values(|row| Value::Bytes(bytes[offsets[row]..offsets[row + 1]].to_vec()));
        let buffers = vec![self.validity(&shape), buffer, self.buffer(bytes)];
        self.made(format, &shape, buffers, Vec::new(), None, values)
    }

    fn views(&mut self, rows: usize) -> Made {
        let format = self.choices.pick(&["vu", "vz"]);
        let shape = self.shape(rows, true);
        let data = self.characters(40);
        let (mut views, mut texts) = (Vec::new(), Vec::new());
        for row in 0..shape.total {
            let start = self.choices.below(20);
            let text = data[start..start + self.choices.below(20)].to_vec();
            let mut view = (text.len() as u32).to_le_bytes().to_vec();
            if text.len() <= 12 {
                view.extend(&text);
                view.resize(16, 0);
            } else {
                view.extend(&text[..4]);
                view.extend(0u32.to_le_bytes());
                view.extend((start as u32).to_le_bytes());
            }
            if !shape.is_valid[row] || self.wrong() {
                view = self.bytes(16);
                self.is_known &= !shape.is_valid[row];
            }
            views.extend(view);
            texts.push(text);
        }
        let values = shape.values(|row| Value::Bytes(texts[row].clone()));
        let sizes = (data.len() as i64).to_ne_bytes().to_vec();
        let buffers = vec![self.validity(&shape), self.buffer(views), self.buffer(data), self.buffer(sizes)];
        self.made(format, &shape, buffers, Vec::new(), None, values)
    }

    fn record(&mut self, rows: usize, depth: usize, has_nulls: bool) -> Made {
        let shape = self.shape(rows, has_nulls);
        let n_children = self.choices.below(4);
        let children: Vec<Made> = (0..n_children).map(|_| self.node(shape.total, depth + 1)).collect();
        let values = shape.values(|row| Value::List(children.iter().map(|child| child.values[row].clone()).collect()));
        let buffers = vec![self.validity(&shape)];
        // Columns of a frame are no extension type.
        self.may_extend = depth > 0;
        self.made("+s", &shape, buffers, children, None, values)
    }

    fn list(&mut self, rows: usize, depth: usize) -> Made {
        let is_large = self.choices.one_in(2);
        let shape = self.shape(rows, true);
        let (offsets, buffer) = self.offsets(shape.total, is_large);
        let items = self.node(offsets[shape.total], depth + 1);
        let values = shape.values(|row| Value::List(items.values[offsets[row]..offsets[row + 1]].to_vec()));
        let buffers = vec![self.validity(&shape), buffer];
        self.made(if is_large { "+L" } else { "+l" }, &shape, buffers, vec![items], None, values)
    }

    fn fixed_list(&mut self, rows: usize, depth: usize) -> Made {
        let width = 1 + self.choices.below(3);
        let shape = self.shape(rows, true);
        let items = self.node(shape.total * width, depth + 1);
        let values = shape.values(|row| Value::List(items.values[row * width..][..width].to_vec()));
        let buffers = vec![self.validity(&shape)];
        self.made(&format!("+w:{width}"), &shape, buffers, vec![items], None, values)
    }

    fn map(&mut self, rows: usize, depth: usize) -> Made {
        let shape = self.shape(rows, true);
        let (offsets, buffer) = self.offsets(shape.total, false);
        let entries = self.record(offsets[shape.total], depth + 1, false);
        // Entries are two children, which need not be so here.
        self.is_sound = false;
        let values = shape.values(|row| Value::List(entries.values[offsets[row]..offsets[row + 1]].to_vec()));
        let buffers = vec![self.validity(&shape), buffer];
        self.made("+m", &shape, buffers, vec![entries], None, values)
    }

    fn dictionary(&mut self, rows: usize, depth: usize) -> Made {
        let (format, width) = self.choices.pick(&KEYS);
        let shape = self.shape(rows, true);
        let n_values = 1 + self.choices.below(5);
        let dictionary = self.node(n_values, depth + 1);
        let (mut bytes, mut keys) = (Vec::new(), Vec::new());
        for row in 0..shape.total {
            let key = self.choices.below(n_values);
            let mut written = (key as u64).to_le_bytes()[..width].to_vec();
            if !shape.is_valid[row] || self.wrong() {
                written = self.bytes(width);
                self.is_known &= !shape.is_valid[row];
            }
            bytes.extend(written);
            keys.push(key);
        }
        let values = shape.values(|row| dictionary.values[keys[row]].clone());
        let buffers = vec![self.validity(&shape), self.buffer(bytes)];
        self.made(format, &shape, buffers, Vec::new(), Some(dictionary), values)
    }
}

impl Shape {
    /// Returns the values of the rows from those of their places.
    fn values(&self, value: impl Fn(usize) -> Value) -> Vec<Value> {
        let value = |row: usize| if self.is_valid[row] { value(row) } else { Value::Null };
        (self.offset..self.total).map(value).collect()
    }
}
