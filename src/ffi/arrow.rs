//! The structs of Arrow's C data and C stream interfaces, as consumers receive them.
//!
//! The producer passes pointers without sizes. Before the methods follow a pointer, they check that it is not null and
//! aligned, and that its index is below the stated count. Lengths, offsets and counts must not be negative and must fit
//! into memory. Two guarantees of the interface cannot be checked and are trusted: a pointer is live until `release`,
//! and a buffer has the bytes that the interface requires for these lengths.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

use polars_arrow::bitmap::Bitmap;
use polars_arrow::types::NativeType;
use polars_buffer::{Buffer, SharedStorage};

/// `ArrowSchema`: a type, a name and the child types.
#[derive(Debug)]
#[repr(C)]
pub struct CSchema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *const *const CSchema,
    dictionary: *const CSchema,
    release: Option<unsafe extern "C" fn(*mut CSchema)>,
    private_data: *mut c_void,
}

/// `ArrowArray`: the buffers of one array.
#[derive(Debug)]
#[repr(C)]
pub struct CArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *const *const c_void,
    children: *const *const CArray,
    dictionary: *const CArray,
    release: Option<unsafe extern "C" fn(*mut CArray)>,
    private_data: *mut c_void,
}

/// `ArrowArrayStream`: arrays of one type, one after the other.
#[derive(Debug)]
#[repr(C)]
pub struct CStream {
    get_schema: Option<unsafe extern "C" fn(*mut CStream, *mut CSchema) -> c_int>,
    get_next: Option<unsafe extern "C" fn(*mut CStream, *mut CArray) -> c_int>,
    get_last_error: Option<unsafe extern "C" fn(*mut CStream) -> *const c_char>,
    release: Option<unsafe extern "C" fn(*mut CStream)>,
    private_data: *mut c_void,
}

/// A struct that its `release` callback releases once. An empty one has no callback.
pub trait CStruct: Sized {
    /// The name of the capsule that holds such a struct in Python.
    const CAPSULE: &'static CStr;
    /// Returns a struct without a callback.
    fn empty() -> Self;
}

macro_rules! c_struct {
    ($name:ident, $capsule:literal, $($field:ident: $value:expr),*) => {
        impl CStruct for $name {
            const CAPSULE: &'static CStr = $capsule;

            fn empty() -> Self {
                Self { $($field: $value,)* release: None, private_data: std::ptr::null_mut() }
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                if let Some(release) = self.release {
                    // SAFETY: the struct was moved here and not released yet, and nothing borrows from it any more.
                    unsafe { release(self) }
                }
            }
        }

        // SAFETY: the interface lets a consumer read and release the struct on any thread.
        unsafe impl Send for $name {}
    };
}

const NOWHERE: *const c_char = std::ptr::null();
c_struct!(CSchema, c"arrow_schema", format: NOWHERE, name: NOWHERE, metadata: NOWHERE, flags: 0, n_children: 0,
    children: std::ptr::null(), dictionary: std::ptr::null());
c_struct!(CArray, c"arrow_array", length: 0, null_count: 0, offset: 0, n_buffers: 0, n_children: 0,
    buffers: std::ptr::null(), children: std::ptr::null(), dictionary: std::ptr::null());
c_struct!(CStream, c"arrow_array_stream", get_schema: None, get_next: None, get_last_error: None);

// SAFETY: arrays are read and never written.
unsafe impl Sync for CArray {}

/// Moves a struct out of the memory of its producer. An empty one stays there, which releases nothing.
///
/// # Safety
/// The pointer leads to such a struct, aligned, and no other thread uses it.
#[must_use]
pub unsafe fn take<T: CStruct>(pointer: NonNull<T>) -> T {
    // SAFETY: promised by the caller.
    unsafe { std::mem::replace(&mut *pointer.as_ptr(), T::empty()) }
}

/// Passes a stream that polars-arrow exports on to arrow-rs.
#[cfg(feature = "arrow")]
pub(crate) fn to_arrow_rs(
    stream: polars_arrow::ffi::ArrowArrayStream,
) -> arrow_array::ffi_stream::FFI_ArrowArrayStream {
    use arrow_array::ffi_stream::FFI_ArrowArrayStream;
    use polars_arrow::ffi::ArrowArrayStream;

    debug_assert_eq!(size_of::<ArrowArrayStream>(), size_of::<FFI_ArrowArrayStream>());
    let mut stream = std::mem::ManuallyDrop::new(stream);
    // SAFETY: both are `ArrowArrayStream` of the interface. The callee moves out of the pointer, and the stream is not
    // dropped here.
    unsafe { FFI_ArrowArrayStream::from_raw((&raw mut *stream).cast()) }
}

impl CStream {
    /// Requests the type of the arrays.
    pub(crate) fn schema(&mut self) -> Result<CSchema, String> {
        let get_schema = self.get_schema.filter(|_| self.release.is_some());
        let get_schema = get_schema.ok_or("it was read or released before")?;
        let mut schema = CSchema::empty();
        // SAFETY: the stream is not released, and the callee fills the schema or fails.
        match unsafe { get_schema(self, &raw mut schema) } {
            0 => Ok(schema),
            code => Err(self.last_error(code)),
        }
    }

    /// Requests the next array; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<CArray>, String> {
        let get_next = self.get_next.filter(|_| self.release.is_some());
        let get_next = get_next.ok_or("it has no function `get_next`")?;
        let mut array = CArray::empty();
        // SAFETY: as for the schema.
        match unsafe { get_next(self, &raw mut array) } {
            0 => Ok(array.release.is_some().then_some(array)),
            code => Err(self.last_error(code)),
        }
    }

    fn last_error(&mut self, code: c_int) -> String {
        let get = self.get_last_error;
        // SAFETY: the call before has failed, as the interface demands. The text lives until the next call.
        let text = get.and_then(|get| unsafe { text(get(self)) });
        text.unwrap_or_else(|| format!("error {code} without a message"))
    }
}

/// Copies a NUL-terminated text; invalid UTF-8 is replaced.
///
/// # Safety
/// The pointer is null or leads to such a text.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    // SAFETY: promised by the caller.
    (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

impl CSchema {
    pub(crate) fn format(&self) -> Result<String, String> {
        // SAFETY: the schema is live.
        unsafe { text(self.format) }.ok_or_else(|| "a type without a format".to_owned())
    }

    pub(crate) fn name(&self) -> String {
        // SAFETY: as above.
        unsafe { text(self.name) }.unwrap_or_default()
    }

    /// Returns true if a bit of `flags` is set.
    pub(crate) fn flag(&self, bit: i64) -> bool {
        self.flags & bit != 0
    }

    pub(crate) fn n_children(&self) -> Result<usize, String> {
        count("children", self.n_children)
    }

    pub(crate) fn child(&self, index: usize) -> Result<&Self, String> {
        // SAFETY: `children` holds `n_children` pointers to schemas that live as long as this one.
        unsafe { entry(self.children, self.n_children, index).and_then(|child| child.as_ref()) }
            .ok_or_else(|| format!("a type without child {index}"))
    }

    pub(crate) fn dictionary(&self) -> Option<&Self> {
        // SAFETY: null, or a schema that lives as long as this one.
        unsafe { self.dictionary.as_ref() }
    }

    /// Returns the entries of `metadata`; those that are not UTF-8 are skipped.
    pub(crate) fn metadata(&self) -> Result<Vec<(String, String)>, String> {
        let mut at = self.metadata.cast::<u8>();
        if at.is_null() {
            return Ok(Vec::new());
        }
        // Lengths in metadata are native 32-bit integers without alignment.
        let mut next = |len: usize| {
            // SAFETY: metadata holds a number of entries, and for each the lengths of key and value before their bytes.
            let bytes = unsafe { std::slice::from_raw_parts(at, len) };
            // SAFETY: as above; the pointer is at most one past the end.
            at = unsafe { at.add(len) };
            bytes
        };
        let number = |bytes: &[u8]| {
            let number = bytes.try_into().map_or(-1, i32::from_ne_bytes);
            usize::try_from(number).map_err(|_| format!("metadata of the length {number}"))
        };
        let mut entries = Vec::new();
        for _ in 0..number(next(4))? {
            let len = number(next(4))?;
            let key = next(len);
            let len = number(next(4))?;
            let value = next(len);
            if let (Ok(key), Ok(value)) = (str::from_utf8(key), str::from_utf8(value)) {
                entries.push((key.to_owned(), value.to_owned()));
            }
        }
        Ok(entries)
    }
}

impl CArray {
    pub(crate) fn len(&self) -> Result<usize, String> {
        count("values", self.length)
    }

    /// Adds the array's offset to a range of values, which gives their range in its buffers.
    pub(crate) fn places(&self, values: &Range<usize>) -> Result<Range<usize>, String> {
        let offset = count("values before the first", self.offset)?;
        let place = |at: usize| at.checked_add(offset).ok_or_else(|| format!("an offset of {offset}"));
        Ok(place(values.start)?..place(values.end)?)
    }

    pub(crate) fn n_buffers(&self) -> Result<usize, String> {
        count("buffers", self.n_buffers)
    }

    pub(crate) fn child(&self, index: usize) -> Result<&Self, String> {
        // SAFETY: `children` holds `n_children` pointers to arrays that live as long as this one.
        unsafe { entry(self.children, self.n_children, index).and_then(|child| child.as_ref()) }
            .ok_or_else(|| format!("no child {index}"))
    }

    pub(crate) fn dictionary(&self) -> Result<&Self, String> {
        // SAFETY: null, or an array that lives as long as this one.
        unsafe { self.dictionary.as_ref() }.ok_or_else(|| "no dictionary".to_owned())
    }

    /// Returns true if the producer states that no value is null.
    pub(crate) fn has_no_nulls(&self) -> bool {
        self.null_count == 0
    }

    /// Returns the pointer to a buffer; null if there is none.
    fn pointer(&self, index: usize) -> *const u8 {
        // SAFETY: `buffers` holds `n_buffers` pointers.
        unsafe { entry(self.buffers, self.n_buffers, index) }.unwrap_or(std::ptr::null()).cast()
    }

    /// Returns values of a buffer, in the producer's memory if it is aligned.
    pub(crate) fn values<T: NativeType>(
        &self,
        root: &Arc<CArray>,
        index: usize,
        places: &Range<usize>,
    ) -> Result<Buffer<T>, String> {
        if places.is_empty() {
            return Ok(Buffer::new());
        }
        let pointer = self.pointer(index).cast::<T>();
        if pointer.is_null() {
            return Err(format!("no buffer {index}"));
        }
        in_memory(places.end, size_of::<T>())?;
        let len = places.len();
        // SAFETY: the buffer has a value at every place that the array's offset and length cover.
        let first = unsafe { pointer.add(places.start) };
        if !first.is_aligned() {
            let mut copy = vec![T::default(); len];
            // SAFETY: as above; bytes have no alignment, and the copy has room for as many.
            unsafe {
                std::ptr::copy_nonoverlapping(first.cast::<u8>(), copy.as_mut_ptr().cast(), len * size_of::<T>());
            }
            return Ok(copy.into());
        }
        // SAFETY: aligned, as large as above, and live and not written to as long as the root, which the storage holds.
        Ok(Buffer::from_storage(unsafe {
            SharedStorage::from_slice_with_owner(std::slice::from_raw_parts(first, len), root.clone())
        }))
    }

    /// Returns bits of a buffer, if there is such a buffer.
    pub(crate) fn bits(
        &self,
        root: &Arc<CArray>,
        index: usize,
        places: &Range<usize>,
    ) -> Result<Option<Bitmap>, String> {
        if places.is_empty() || self.pointer(index).is_null() {
            return Ok(places.is_empty().then(Bitmap::new));
        }
        let (first, last) = (places.start / 8, places.end.div_ceil(8));
        let bytes = self.values::<u8>(root, index, &(first..last))?;
        let storage = bytes.into_storage();
        // SAFETY: the bytes hold the bits from that of the first place to that of the last.
        Ok(Some(unsafe { Bitmap::from_inner_unchecked(storage, places.start % 8, places.len(), None) }))
    }
}

/// Returns an entry of a list of pointers.
///
/// # Safety
/// `list` is null or holds `count` pointers.
unsafe fn entry<T>(list: *const *const T, count: i64, index: usize) -> Option<*const T> {
    let is_there = !list.is_null() && list.is_aligned() && i64::try_from(index).is_ok_and(|index| index < count);
    // SAFETY: promised by the caller.
    is_there.then(|| unsafe { *list.add(index) })
}

fn count(what: &str, number: i64) -> Result<usize, String> {
    usize::try_from(number).map_err(|_| format!("{number} {what}"))
}

/// Rejects buffers that are larger than the address space.
fn in_memory(places: usize, width: usize) -> Result<(), String> {
    let bytes = places.checked_mul(width).filter(|&bytes| isize::try_from(bytes).is_ok());
    bytes.map(drop).ok_or_else(|| format!("{places} values of {width} bytes"))
}
