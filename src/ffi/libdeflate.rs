//! The decompressor of libdeflate with the number of bytes that a stream takes, which the crate `libdeflater` does not
//! return.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use libdeflate_sys::{
    libdeflate_alloc_decompressor, libdeflate_decompressor, libdeflate_deflate_decompress_ex,
    libdeflate_free_decompressor, libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE,
    libdeflate_result_LIBDEFLATE_SUCCESS,
};

/// The state of libdeflate, which does not depend on the streams before.
pub(crate) struct Inflater(NonNull<libdeflate_decompressor>);

// SAFETY: the state is plain memory without ties to a thread, and every use of it borrows it mutably.
unsafe impl Send for Inflater {}

/// The sizes of a stream that was decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// The size of the stream, which may be less than that of the input.
    pub(crate) stream: usize,
    pub(crate) content: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The input is no complete stream.
    BadData,
    /// The output is too small for the content.
    InsufficientSpace,
}

impl Inflater {
    pub(crate) fn new() -> Self {
        // SAFETY: no arguments; null is checked.
        let state = NonNull::new(unsafe { libdeflate_alloc_decompressor() });
        Self(state.expect("libdeflate allocates a few kilobytes"))
    }

    /// Decompresses the stream at the beginning of `input` to the beginning of `out`.
    pub(crate) fn inflate(&mut self, input: &[u8], out: &mut [u8]) -> Result<Sizes, Failure> {
        let mut sizes = Sizes { stream: 0, content: 0 };
        // SAFETY: the state is live, both slices have the lengths that are passed, and the sizes are only written.
        let result = unsafe {
            libdeflate_deflate_decompress_ex(
                self.0.as_ptr(),
                input.as_ptr().cast(),
                input.len(),
                out.as_mut_ptr().cast(),
                out.len(),
                &raw mut sizes.stream,
                &raw mut sizes.content,
            )
        };
        debug_assert!(sizes.stream <= input.len() && sizes.content <= out.len());
        #[expect(non_upper_case_globals, reason = "libdeflate's names")]
        match result {
            libdeflate_result_LIBDEFLATE_SUCCESS => Ok(sizes),
            libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => Err(Failure::InsufficientSpace),
            _ => Err(Failure::BadData),
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        // SAFETY: allocated by `new`, and not freed before.
        unsafe { libdeflate_free_decompressor(self.0.as_ptr()) }
    }
}
