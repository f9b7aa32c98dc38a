//! Interfaces in C. Every call across one stands here, with its safety contract.

pub(crate) mod arrow;
pub(crate) mod libdeflate;
