//! Bindings to C interfaces that no safe crate offers, with their safety contracts.

pub(crate) mod arrow;
pub(crate) mod libdeflate;
