use super::*;

#[test]
fn sizes_are_four_between_powers_of_two() {
    let sizes: Vec<_> = (0..=20).filter(|n| size_below(*n) == *n).collect();
    assert_eq!(sizes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20]);
    for n in 1..5000 {
        assert!(size_below(n) <= n && n <= size_below(n) + n / 4);
    }
}

#[test]
fn sections_grow_to_batches_and_shrink_at_the_end() {
    let (threads, ignore_errors, strict) = (4, false, false);
    let settings = ReadSettings { batch_rows: 100_000, batch_bytes: 16 << 20, threads, ignore_errors, strict };
    let pace = Pace { bytes: 64 << 10, rows: 100, blocks: 4, batch_rows: 100_000, ratio: 1 };
    let of = |left, wanted, pace| settings.section_bytes(left, wanted, u64::MAX, pace);
    assert_eq!(of(1 << 30, u64::MAX, Pace::default()), 256 << 10);
    assert_eq!(settings.section_bytes(1 << 30, u64::MAX, 64 << 10, Pace::default()), 64 << 10);
    // Reduced to fill a size that allocators have.
    let is_about = |bytes: u64, whole: u64| (whole * 7 / 8..=whole).contains(&bytes);
    assert!(is_about(of(1 << 30, u64::MAX, pace), 2 << 20));
    // An eighth of the remaining bytes, but no less than the minimum of a section.
    assert!(is_about(of(4 << 20, u64::MAX, pace), 512 << 10));
    assert!(is_about(of(1 << 20, u64::MAX, pace), 256 << 10));
    // Ten rows are fewer than one block has.
    assert_eq!(of(1 << 30, 10, pace), 1);
    // Rows of two bytes: 100,000 of them, less what fills memory.
    let small = Pace { bytes: 20_000, rows: 10_000, blocks: 10, ..pace };
    let bytes = of(1 << 30, u64::MAX, small);
    assert!((180_000..200_000).contains(&bytes), "{bytes}");
}
