//! What the crate promises, held against a naive decoder of the specification.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apache;
mod cells;
mod choices;
mod columns;
mod container;
mod cores;
mod counting;
mod datums;
mod differential;
mod files;
mod filtering;
mod hostile;
mod layers;
mod logical;
mod naive;
mod portions;
mod public_face;
mod reported;
mod schemas;
mod values;
mod written;
