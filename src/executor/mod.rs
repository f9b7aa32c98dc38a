//! Threads, order and back-pressure. Knows nothing of Avro: reading and writing bring their own tasks.

mod input;
mod lock;
mod ordered;
mod pool;
#[cfg(test)]
mod tests;
mod times;

pub(crate) use input::Claimed;
pub(crate) use lock::lock;
pub(crate) use ordered::{Consumer, OrderedTasks, Workload};
pub use pool::set_thread_pool_size;
pub(crate) use pool::{pool, threads};
pub use times::TaskTimes;
