//! The structs of Arrow's C data interface, and the memory behind them.

use std::any::Any;
use std::ffi::{CString, c_char, c_void};
use std::ptr::{null, null_mut};

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

#[repr(C)]
pub struct CArray {
    pub length: i64,
    pub null_count: i64,
    pub offset: i64,
    pub n_buffers: i64,
    pub n_children: i64,
    buffers: *const *const c_void,
    children: *const *const CArray,
    dictionary: *const CArray,
    release: Option<unsafe extern "C" fn(*mut CArray)>,
    private_data: *mut c_void,
}

unsafe extern "C" fn released_schema(_: *mut CSchema) {}

unsafe extern "C" fn released_array(_: *mut CArray) {}

/// Owns everything that structs point to.
#[derive(Default)]
pub struct Arena {
    owned: Vec<Box<dyn Any>>,
}

impl Arena {
    /// Keeps a vector; the address of an empty one is null.
    pub fn keep<T: 'static>(&mut self, values: Vec<T>) -> *const T {
        let address = if values.is_empty() { null() } else { values.as_ptr() };
        self.owned.push(Box::new(values));
        address
    }

    fn text(&mut self, text: &str) -> *const c_char {
        let text: Vec<u8> = text.bytes().filter(|&byte| byte != 0).collect();
        self.keep(CString::new(text).unwrap_or_default().into_bytes_with_nul()).cast()
    }

    pub fn schema(
        &mut self,
        format: &str,
        metadata: Vec<u8>,
        n_children: i64,
        children: Vec<*const CSchema>,
        dictionary: Option<CSchema>,
    ) -> CSchema {
        CSchema {
            format: self.text(format),
            name: self.text("a"),
            metadata: self.keep(metadata).cast(),
            // Nullable.
            flags: 2,
            n_children,
            children: self.keep(children),
            dictionary: dictionary.map_or(null(), |dictionary| self.keep(vec![dictionary])),
            release: Some(released_schema),
            private_data: null_mut(),
        }
    }

    pub fn array(
        &mut self,
        buffers: Vec<*const c_void>,
        children: Vec<*const CArray>,
        dictionary: Option<CArray>,
    ) -> CArray {
        CArray {
            length: 0,
            null_count: -1,
            offset: 0,
            n_buffers: buffers.len() as i64,
            n_children: children.len() as i64,
            buffers: self.keep(buffers),
            children: self.keep(children),
            dictionary: dictionary.map_or(null(), |dictionary| self.keep(vec![dictionary])),
            release: Some(released_array),
            private_data: null_mut(),
        }
    }
}
