//! What the crate promises, held against a naive decoder of the specification.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apache;
mod bad_blocks;
mod choices;
mod columns;
mod container;
mod cores;
mod counting;
mod datums;
mod differential;
mod expected;
mod files;
mod filtering;
mod hostile;
mod large_blocks;
mod layers;
mod logical;
mod misuse;
mod naive;
mod partial_reads;
mod public_face;
mod restored;
mod schemas;
mod small_blocks;
mod values;
mod written;
