use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::ordered::AHEAD;
use super::{OrderedTasks, Workload};
use crate::{Error, Result};

/// Squares numbers, the small ones last.
#[derive(Default)]
struct Squares {
    most_running: AtomicUsize,
    running: AtomicUsize,
}

impl Workload for Squares {
    type Input = VecDeque<u64>;
    type Task = u64;
    type Output = u64;

    fn claim(&self, input: &mut VecDeque<u64>) -> Result<Option<u64>> {
        match input.pop_front() {
            Some(1000) => Err(Error::data("no such number")),
            number => Ok(number),
        }
    }

    fn work(&self, number: u64) -> Result<u64> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        std::thread::sleep(Duration::from_micros(200 * (3 - number % 3)));
        self.running.fetch_sub(1, Ordering::SeqCst);
        assert!(number != 2000, "a panic that the test wants");
        if number == 3000 { Err(Error::data("cannot be squared")) } else { Ok(number * number) }
    }
}

fn pull(numbers: impl IntoIterator<Item = u64>, threads: usize) -> Vec<Result<u64>> {
    let mut tasks = OrderedTasks::new(Squares::default(), numbers.into_iter().collect(), threads);
    std::iter::from_fn(|| tasks.next()).take(100).collect()
}

#[test]
fn results_come_in_order_on_any_number_of_threads() {
    for threads in [1, 2, 3, 8] {
        let results: Vec<_> = pull(0..50, threads).into_iter().map(Result::unwrap).collect();
        assert_eq!(results, (0..50).map(|n| n * n).collect::<Vec<_>>(), "{threads} threads");
    }
}

#[test]
fn an_error_of_the_input_or_of_a_task_comes_in_its_place() {
    for (bad, message) in [(1000, "no such number"), (3000, "cannot be squared")] {
        for threads in [1, 2] {
            let results = pull([1, 2, bad, 4], threads);
            assert_eq!(results[0].as_ref().unwrap(), &1);
            assert_eq!(results[1].as_ref().unwrap(), &4);
            assert!(results[2].as_ref().unwrap_err().to_string().contains(message));
        }
    }
}

#[test]
fn a_panic_on_another_thread_is_an_error() {
    let error = pull([1, 2000, 3], 2).into_iter().find_map(Result::err).unwrap();
    assert!(error.to_string().contains("a panic on another thread"), "{error}");
}

#[test]
fn pushed_shares_come_back_in_order_and_are_bounded() {
    for threads in [1, 2, 4] {
        let mut tasks = OrderedTasks::new(Squares::default(), VecDeque::new(), threads);
        let (mut results, mut waiting) = (Vec::new(), 0);
        for number in 0..40 {
            while tasks.is_full() {
                results.push(tasks.take().unwrap().unwrap());
                waiting -= 1;
            }
            tasks.submit(|input| input.push_back(number)).unwrap();
            waiting += 1;
            assert!(waiting <= threads + AHEAD);
        }
        results.extend(std::iter::from_fn(|| tasks.take()).map(Result::unwrap));
        assert_eq!(results, (0..40).map(|n| n * n).collect::<Vec<_>>(), "{threads} threads");
    }
}

#[test]
fn no_more_tasks_run_than_there_are_threads() {
    let mut tasks = OrderedTasks::new(Squares::default(), (0..30).collect(), 2);
    while let Some(result) = tasks.next() {
        result.unwrap();
    }
    assert!(tasks.workload().most_running.load(Ordering::SeqCst) <= 2);
}

#[test]
fn cancelled_tasks_do_not_begin() {
    let mut tasks = OrderedTasks::new(Squares::default(), (0..30).collect(), 1);
    assert_eq!(tasks.next().unwrap().unwrap(), 0);
    tasks.cancel();
    assert!(tasks.next().is_none());
}
