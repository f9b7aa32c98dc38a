//! Maps a function over items, on several threads.

use std::marker::PhantomData;

use super::{Consumer, OrderedTasks, Turn, Workload, threads};
use crate::Result;

struct Mapped<I, U, F>(F, PhantomData<fn(I) -> U>);

impl<I, U, F> Workload for Mapped<I, U, F>
where
    I: Iterator + Send + 'static,
    U: Send + 'static,
    F: Fn(I::Item) -> U + Send + Sync + 'static,
{
    type Input = I;
    type Share = I::Item;
    type Output = U;

    fn reserve(&self, items: &mut I) -> Option<I::Item> {
        items.next()
    }

    fn run(&self, item: I::Item, _: &mut Turn<'_, Self>) -> Result<U> {
        Ok((self.0)(item))
    }
}

/// Calls a function on every item, on several threads including the caller's. Returns the results in the order of the
/// items.
///
/// # Errors
/// If the function panics.
pub(crate) fn map<I, U>(items: I, f: impl Fn(I::Item) -> U + Send + Sync + 'static) -> Result<Vec<U>>
where
    I: Iterator + Send + 'static,
    U: Send + 'static,
{
    // A single item must not start the pool.
    let threads = if items.size_hint().1 == Some(1) { 1 } else { threads() };
    let mut tasks = OrderedTasks::new(Mapped(f, PhantomData), items, threads, Consumer::Works);
    std::iter::from_fn(|| tasks.next()).collect()
}
