use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::shared::AHEAD;
use super::{Consumer, OrderedTasks, Turn, Workload};
use crate::{Error, Result};

/// Squares numbers; small numbers take longest.
#[derive(Default)]
struct Squares {
    begun: AtomicUsize,
    most_running: AtomicUsize,
    running: AtomicUsize,
    /// Every number except 0 waits for this to end.
    held: AtomicBool,
    workers: Mutex<HashSet<ThreadId>>,
}

impl Workload for Squares {
    type Input = VecDeque<u64>;
    type Share = u64;
    type Output = u64;

    fn reserve(&self, input: &mut VecDeque<u64>) -> Option<u64> {
        input.pop_front()
    }

    fn run(&self, number: u64, _: &mut Turn<'_, Self>) -> Result<u64> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        self.workers.lock().unwrap().insert(thread::current().id());
        thread::sleep(Duration::from_micros(200 * (3 - number % 3)));
        while number != 0 && self.held.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_micros(100));
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        assert!(number != 2000, "a panic that the test wants");
        if number == 3000 { Err(Error::data("cannot be squared")) } else { Ok(number * number) }
    }
}

fn pull(numbers: impl IntoIterator<Item = u64>, threads: usize) -> Vec<Result<u64>> {
    let mut tasks = OrderedTasks::new(Squares::default(), numbers.into_iter().collect(), threads, Consumer::Works);
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
fn an_error_comes_in_its_place() {
    for threads in [1, 2] {
        let results = pull([1, 2, 3000, 4], threads);
        assert_eq!(results[0].as_ref().unwrap(), &1);
        assert_eq!(results[1].as_ref().unwrap(), &4);
        assert!(results[2].as_ref().unwrap_err().to_string().contains("cannot be squared"));
    }
}

#[test]
fn a_panic_on_any_thread_is_an_error() {
    for threads in [1, 2] {
        let error = pull([1, 2000, 3], threads).into_iter().find_map(Result::err).unwrap();
        assert!(error.to_string().contains("a task panicked"), "{error}");
    }
}

#[test]
fn pushed_shares_come_back_in_order_and_are_bounded() {
    for threads in [1, 2, 4] {
        let mut tasks = OrderedTasks::new(Squares::default(), VecDeque::new(), threads, Consumer::Works);
        let (mut results, mut waiting) = (Vec::new(), 0);
        for number in 0..40 {
            while tasks.is_full() {
                results.push(tasks.next().unwrap().unwrap());
                waiting -= 1;
            }
            tasks.submit(|input| input.push_back(number)).unwrap();
            waiting += 1;
            assert!(waiting <= threads + AHEAD);
        }
        results.extend(std::iter::from_fn(|| tasks.next()).map(Result::unwrap));
        assert_eq!(results, (0..40).map(|n| n * n).collect::<Vec<_>>(), "{threads} threads");
    }
}

#[test]
fn the_consumer_is_one_of_the_threads_that_work_on_what_it_pushes() {
    let mut tasks = OrderedTasks::new(Squares::default(), VecDeque::new(), 2, Consumer::Works);
    for number in 0..30 {
        while tasks.is_full() {
            tasks.next().unwrap().unwrap();
        }
        tasks.submit(|input| input.push_back(number)).unwrap();
    }
    while let Some(result) = tasks.next() {
        result.unwrap();
    }
    assert_consumer_is_one_of_two(tasks.workload());
}

#[test]
fn the_consumer_is_one_of_the_threads_that_work_on_what_it_pulls() {
    let mut tasks = OrderedTasks::new(Squares::default(), (0..30).collect(), 2, Consumer::Works);
    while let Some(result) = tasks.next() {
        result.unwrap();
    }
    assert_consumer_is_one_of_two(tasks.workload());
}

fn assert_consumer_is_one_of_two(squares: &Squares) {
    assert!(squares.most_running.load(Ordering::SeqCst) <= 2);
    // The pool has one task at a time, so the consumer works on the other one.
    assert!(squares.workers.lock().unwrap().contains(&thread::current().id()));
}

#[test]
fn a_consumer_that_waits_has_the_first_result_while_other_shares_take_long() {
    let squares = Squares { held: true.into(), ..Squares::default() };
    let mut tasks = OrderedTasks::new(squares, (0..30).collect(), 2, Consumer::Waits);
    assert_eq!(tasks.next().unwrap().unwrap(), 0);
    tasks.workload().held.store(false, Ordering::SeqCst);
    assert_eq!(std::iter::from_fn(|| tasks.next()).map(Result::unwrap).count(), 29);
    // The consumer also works if no thread of the pool has started the share it waits for.
    assert!(tasks.workload().most_running.load(Ordering::SeqCst) <= 3);
}

#[test]
fn a_consumer_needs_no_thread_of_the_pool() {
    let is_over = Arc::new(AtomicBool::new(false));
    let pool = super::pool().unwrap();
    for _ in 0..super::threads() {
        let is_over = is_over.clone();
        pool.spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_micros(100));
            }
        });
    }
    for consumer in [Consumer::Works, Consumer::Waits] {
        let mut tasks = OrderedTasks::new(Squares::default(), (0..30).collect(), 4, consumer);
        let results: Vec<_> = std::iter::from_fn(|| tasks.next()).map(Result::unwrap).collect();
        assert_eq!(results, (0..30).map(|n| n * n).collect::<Vec<_>>());
    }
    is_over.store(true, Ordering::SeqCst);
}

#[test]
fn threads_go_on_while_the_consumer_is_elsewhere_as_far_as_they_may() {
    let started_ahead = || {
        let mut tasks = OrderedTasks::new(Squares::default(), (0..30).collect(), 2, Consumer::Works);
        tasks.next().unwrap().unwrap();
        thread::sleep(Duration::from_millis(50));
        tasks.workload().begun.load(Ordering::SeqCst)
    };
    // Threads that another test waits for take no more shares.
    let most = (0..100).map(|_| started_ahead()).find(|&begun| begun > 1 + 2 + 1).unwrap();
    assert_eq!(most, 1 + 2 + AHEAD);
}

#[test]
fn a_queue_can_be_cancelled_from_elsewhere() {
    for threads in [1, 2, 4] {
        let squares = Squares { held: true.into(), ..Squares::default() };
        let mut tasks = OrderedTasks::new(squares, (0..30).collect(), threads, Consumer::Waits);
        assert_eq!(tasks.next().unwrap().unwrap(), 0);
        let cancelled = tasks.cancelled().clone();
        cancelled.store(true, Ordering::Relaxed);
        tasks.workload().held.store(false, Ordering::SeqCst);
        // The shares that had started.
        assert!(std::iter::from_fn(|| tasks.next()).count() <= threads);
    }
}

#[test]
fn a_long_queue_leaves_threads_to_another_one() {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut long = OrderedTasks::new(Squares::default(), (0..60_000).collect(), 64, Consumer::Works);
            while !is_over.load(Ordering::SeqCst) {
                // The loop ends by itself after ten seconds on two cores.
                long.next().expect("the short queue ends first").unwrap();
            }
        });
        thread::sleep(Duration::from_millis(20));
        assert_eq!(pull(0..20, 2).len(), 20);
        is_over.store(true, Ordering::SeqCst);
    });
}

#[test]
fn no_more_tasks_run_than_there_are_threads() {
    let mut tasks = OrderedTasks::new(Squares::default(), (0..30).collect(), 2, Consumer::Works);
    while let Some(result) = tasks.next() {
        result.unwrap();
    }
    assert!(tasks.workload().most_running.load(Ordering::SeqCst) <= 2);
}

#[test]
fn cancelled_tasks_do_not_begin() {
    let mut tasks = OrderedTasks::new(Squares::default(), (0..30).collect(), 1, Consumer::Works);
    assert_eq!(tasks.next().unwrap().unwrap(), 0);
    tasks.cancel();
    assert!(tasks.next().is_none());
}

/// Doubles numbers in parallel, and adds them up in turn; the shares taken first take the longest.
#[derive(Default)]
struct Sums {
    fetching: AtomicUsize,
    most_fetching: AtomicUsize,
}

/// The remaining numbers, and the sum of those that had their turns.
struct Numbers {
    left: Range<u64>,
    sum: u64,
}

impl Workload for Sums {
    type Input = Numbers;
    type Share = u64;
    type Output = (u64, u64);

    fn reserve(&self, input: &mut Numbers) -> Option<u64> {
        input.left.next()
    }

    fn run(&self, number: u64, turn: &mut Turn<'_, Self>) -> Result<(u64, u64)> {
        let fetching = self.fetching.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_fetching.fetch_max(fetching, Ordering::SeqCst);
        thread::sleep(Duration::from_micros(500 * (4 - number % 4)));
        self.fetching.fetch_sub(1, Ordering::SeqCst);
        assert!(number != 2000, "a panic that the test wants");
        if !turn.wait() {
            return Ok((0, 0));
        }
        assert!(number != 3000, "a panic that the test wants");
        let sum = turn.input(|input| input.sum);
        turn.pass(|input| input.sum += number);
        Ok((number, sum))
    }
}

fn add_up(left: Range<u64>, threads: usize) -> OrderedTasks<Sums> {
    OrderedTasks::new(Sums::default(), Numbers { left, sum: 0 }, threads, Consumer::Works)
}

#[test]
fn shares_run_side_by_side_and_have_their_turns_in_order() {
    for threads in [1, 2, 4] {
        let mut tasks = add_up(0..60, threads);
        let results: Vec<_> = std::iter::from_fn(|| tasks.next()).map(Result::unwrap).collect();
        let expected: Vec<_> = (0..60).map(|number| (number, (0..number).sum::<u64>())).collect();
        assert_eq!(results, expected, "{threads} threads");
        let most = tasks.workload().most_fetching.load(Ordering::SeqCst);
        // The pool may have fewer threads.
        assert!(most <= threads && (most > 1 || threads == 1 || super::threads() == 1), "{most} of {threads}");
    }
}

#[test]
fn a_panic_before_a_turn_or_in_it_keeps_nobody_waiting() {
    for numbers in [1990..2030, 2990..3030] {
        for threads in [1, 2, 4] {
            let mut tasks = add_up(numbers.clone(), threads);
            let error = std::iter::from_fn(|| tasks.next()).find_map(Result::err).unwrap();
            assert!(error.to_string().contains("a task panicked"), "{error}");
            // The read ends, and does not wait for the turn that never ended.
            assert!(tasks.next().unwrap().is_err());
        }
    }
}
