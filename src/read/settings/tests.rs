use super::*;

#[test]
fn sizes_are_four_between_powers_of_two() {
    let sizes: Vec<_> = (0..=20).filter(|n| size_below(*n) == *n && size_above(*n) == *n).collect();
    assert_eq!(sizes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20]);
    for n in 1..5000 {
        assert!(size_below(n) <= n && n <= size_above(n) && size_above(n) <= n + n / 4);
        assert_eq!((size_below(size_above(n)), size_above(size_below(n))), (size_above(n), size_below(n)));
    }
}

#[test]
fn full_batches_have_at_least_the_rows_that_are_wanted_unless_these_are_large() {
    let (batch_rows, batch_bytes) = (1_000, 16 << 20);
    let (threads, files_behind, window_bytes, eager, ignore_errors, strict) = (1, 0, u64::MAX, true, false, false);
    let settings =
        ReadSettings { batch_rows, batch_bytes, threads, files_behind, window_bytes, eager, ignore_errors, strict };
    assert_eq!(settings.rows_that_fill(10, 1_000), 1_024);
    assert_eq!(settings.rows_that_fill(1, 20_000), 768);
    assert_eq!((settings.rows_that_fill(1, 1 << 40), settings.rows_that_fill(1, 0)), (1, 1_024));
}
