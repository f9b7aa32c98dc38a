//! bytes and string: a length, then the bytes.
//!
//! Values of up to 12 bytes are stored in the view itself, from one 16-byte load. Longer values are copied from the
//! block, which is still in the cache, into buffers of the batch. This way no batch keeps a decompressed block alive
//! for a few strings. A full buffer is followed by another one instead of being reallocated, so no value is copied
//! twice.

use std::marker::PhantomData;
use std::ops::Range;

use polars_arrow::array::{Array, View};
use polars_arrow::datatypes::ArrowDataType;
use polars_buffer::Buffer;

use super::room::Before;
use super::validity::Validity;
use super::{Column, view_array};
use crate::binary::{Fault, read_array, read_length};

/// The kind of content of the bytes: any, or UTF-8.
pub(crate) trait Content: Clone + Send + Sync + 'static {
    /// The dtype of the array: binary or text.
    const DTYPE: ArrowDataType;

    /// Returns true if these bytes are valid content.
    fn is_valid(bytes: &[u8]) -> bool;
}

/// Any bytes.
#[derive(Clone)]
pub(crate) struct Bytes;

/// UTF-8.
#[derive(Clone)]
pub(crate) struct Utf8;

impl Content for Bytes {
    const DTYPE: ArrowDataType = ArrowDataType::BinaryView;

    #[inline(always)]
    fn is_valid(_bytes: &[u8]) -> bool {
        true
    }
}

impl Content for Utf8 {
    const DTYPE: ArrowDataType = ArrowDataType::Utf8View;

    #[inline(always)]
    fn is_valid(bytes: &[u8]) -> bool {
        bytes.is_ascii() || simdutf8::basic::from_utf8(bytes).is_ok()
    }
}

/// The minimum and maximum size of a buffer, unless a single value is longer. Smaller buffers are cheaper to copy than
/// to keep separately. A single buffer sized by an estimate would be reallocated if the estimate is low. With several
/// buffers of common allocation sizes, only the last one is partly empty.
const BUFFER_BYTES: Range<usize> = 4 << 10..128 << 10;

/// A column of bytes or strings.
#[derive(Clone)]
pub(crate) struct Views<C> {
    views: Vec<View>,
    /// The buffer that longer values are appended to, and its index.
    tail: Vec<u8>,
    tail_index: u32,
    /// The earlier buffers. Boxed, as they are seldom accessed and a small struct is faster.
    full: Box<FullBuffers>,
    validity: Validity,
    content: PhantomData<C>,
}

/// The full buffers.
#[derive(Clone, Default)]
struct FullBuffers {
    buffers: Vec<Buffer<u8>>,
    bytes: usize,
    /// The estimated total size of longer values in the batch, those in the tail included.
    likely: usize,
    before: Before,
}

/// Masks for the first N of sixteen bytes.
const FIRST_BYTES: [u128; 17] = {
    let mut masks = [u128::MAX; 17];
    let mut len = 0;
    while len < 16 {
        masks[len] = (1 << (8 * len)) - 1;
        len += 1;
    }
    masks
};

const HIGH_BITS: u128 = u128::from_ne_bytes([0x80; 16]);

/// Returns true if any of these sixteen bytes is not ASCII.
#[inline(always)]
fn has_high_bits(bytes: &[u8; 16]) -> bool {
    u128::from_ne_bytes(*bytes) & HIGH_BITS != 0
}

impl<C: Content> Default for Views<C> {
    fn default() -> Self {
        let (views, tail, tail_index, full, validity) = <_>::default();
        Self { views, tail, tail_index, full, validity, content: PhantomData }
    }
}

impl<C: Content> Views<C> {
    /// Returns the number of values.
    pub(super) fn len(&self) -> usize {
        self.views.len()
    }

    /// Appends `len` bytes at `pos`, which must be within the data.
    #[inline(always)]
    pub(super) fn push_at(&mut self, bytes: &[u8], pos: usize, len: usize) -> Result<usize, Fault> {
        if len > 16 {
            return self.push_long(bytes, pos, len);
        }
        let (window, _) = read_array::<16>(bytes, pos)?;
        let whole = u128::from_le_bytes(*window);
        let value = whole & FIRST_BYTES[len];
        if value & HIGH_BITS != 0 && !C::is_valid(&window[..len]) {
            return Err(bad_utf8());
        }
        if len <= View::MAX_INLINE_SIZE as usize {
            self.views.push(View::from(value << 32 | len as u128));
        } else {
            self.push_start(window, len, value as u32);
        }
        Ok(pos + len)
    }

    /// Appends a text that is known to be valid.
    pub(super) fn push_text(&mut self, value: &str) {
        if value.len() <= View::MAX_INLINE_SIZE as usize {
            self.views.push(View::new_inline(value.as_bytes()));
        } else {
            self.append(value.as_bytes());
        }
    }

    /// Appends more than 16 bytes.
    #[inline(never)]
    fn push_long(&mut self, bytes: &[u8], pos: usize, len: usize) -> Result<usize, Fault> {
        if len <= 32 {
            // The padding follows the data, so 32 bytes can be read.
            let (window, _) = read_array::<32>(bytes, pos)?;
            let ((first, _), (last, _)) = (read_array(bytes, pos)?, read_array(bytes, pos + len - 16)?);
            if (has_high_bits(first) || has_high_bits(last)) && !C::is_valid(&window[..len]) {
                return Err(bad_utf8());
            }
            self.push_start(window, len, u32::from_le_bytes([window[0], window[1], window[2], window[3]]));
            return Ok(pos + len);
        }
        self.push_longer(bytes, pos, len)
    }

    fn push_longer(&mut self, bytes: &[u8], pos: usize, len: usize) -> Result<usize, Fault> {
        let value = bytes.get(pos..pos + len).ok_or_else(Fault::truncated)?;
        if !C::is_valid(value) {
            return Err(bad_utf8());
        }
        if len > i32::MAX as usize {
            return Err(Fault::unsupported(format!(
                "a value of {len} bytes: columns of Polars hold values of less than 2 GiB"
            )));
        }
        self.append(value);
        Ok(pos + len)
    }

    /// Appends the first `len` bytes, more than 12, of a window that begins with `prefix`. The whole window is copied:
    /// a copy of fixed width needs no call.
    #[inline(always)]
    fn push_start<const N: usize>(&mut self, window: &[u8; N], len: usize, prefix: u32) {
        let offset = self.room_for(N);
        self.tail.extend_from_slice(window);
        self.tail.truncate(offset + len);
        let (length, buffer_idx) = (len as u32, self.tail_index);
        self.views.push(View { length, prefix, buffer_idx, offset: offset as u32 });
    }

    #[inline]
    fn append(&mut self, value: &[u8]) {
        let offset = self.room_for(value.len());
        self.views.push(View::new_from_bytes(value, self.tail_index, offset as u32));
        self.tail.extend_from_slice(value);
    }

    /// Returns the offset in the tail for the next longer value, after reserving `len` bytes.
    #[inline(always)]
    fn room_for(&mut self, len: usize) -> usize {
        if self.tail.capacity() - self.tail.len() < len {
            self.make_room(len);
        }
        self.tail.len()
    }

    /// Reserves `len` bytes. Unless the tail is small, this begins another buffer with the size of the bytes that are
    /// expected.
    #[cold]
    fn make_room(&mut self, len: usize) {
        if self.tail.len() + len < BUFFER_BYTES.start {
            return self.tail.reserve(len);
        }
        let bytes = self.bytes();
        let more = if self.full.likely > bytes { self.full.likely - bytes } else { bytes / 4 };
        let room = more.clamp(BUFFER_BYTES.start, BUFFER_BYTES.end).max(len);
        let tail = std::mem::replace(&mut self.tail, Vec::with_capacity(room));
        if !tail.is_empty() {
            self.full.bytes += tail.len();
            self.full.buffers.push(tail.into());
            self.tail_index += 1;
        }
    }

    /// Returns the size of all longer values in bytes.
    fn bytes(&self) -> usize {
        self.full.bytes + self.tail.len()
    }

    /// Returns the bytes of a value.
    pub(super) fn value(&self, index: usize) -> &[u8] {
        let view = &self.views[index];
        view.get_inlined_slice().unwrap_or_else(|| {
            let buffer = self.full.buffers.get(view.buffer_idx as usize).map_or(self.tail.as_slice(), |full| full);
            &buffer[view.offset as usize..][..view.length as usize]
        })
    }

    /// Returns true if two values are equal. The views suffice in most cases.
    pub(super) fn equal(&self, a: usize, b: usize) -> bool {
        let (x, y) = (self.views[a].as_u128(), self.views[b].as_u128());
        // Compares length and first four bytes.
        x as u64 == y as u64 && (x == y || self.value(a) == self.value(b))
    }
}

impl<C: Content> Column for Views<C> {
    #[inline(always)]
    fn decode(&mut self, bytes: &[u8], pos: usize) -> Result<usize, Fault> {
        let (len, pos) = read_length(bytes, pos)?;
        self.push_at(bytes, pos, len)
    }

    #[inline]
    fn push_nulls(&mut self, n: usize) {
        self.validity.push_nulls(&mut self.views, n, View::default());
    }

    fn reserve(&mut self, n: usize) {
        let (bytes, more) = (self.bytes(), self.full.before.likely(self.bytes(), self.views.len(), n));
        self.full.likely = bytes + more;
        if self.tail.len() < BUFFER_BYTES.start {
            self.tail.reserve_exact(more.min(BUFFER_BYTES.end - self.tail.len()));
        }
        self.views.reserve_exact(n);
    }

    fn dtype(&self) -> ArrowDataType {
        C::DTYPE
    }

    fn finish(&mut self) -> Box<dyn Array> {
        let bytes = self.bytes();
        let views = std::mem::take(&mut self.views);
        let validity = self.validity.finish(views.len());
        self.full.before.note(bytes, views.len());
        let mut buffers = std::mem::take(&mut self.full.buffers);
        (self.full.bytes, self.full.likely, self.tail_index) = (0, 0, 0);
        if !self.tail.is_empty() {
            buffers.push(std::mem::take(&mut self.tail).into());
        }
        view_array::build(&C::DTYPE, views, buffers, validity)
    }
}

#[cold]
#[inline(never)]
fn bad_utf8() -> Fault {
    Fault::data("string is not valid UTF-8")
}

#[cfg(test)]
mod tests;
