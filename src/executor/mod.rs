//! Threads, order and backpressure. Independent of Avro: reading and writing bring their own workloads.

mod lock;
mod map;
mod ordered;
mod pool;
mod shared;
#[cfg(test)]
mod tests;

pub(crate) use lock::lock;
pub(crate) use map::map;
pub(crate) use ordered::OrderedTasks;
pub use pool::set_thread_pool_size;
pub(crate) use pool::{pool, threads};
pub(crate) use shared::{Consumer, Turn, Workload};
