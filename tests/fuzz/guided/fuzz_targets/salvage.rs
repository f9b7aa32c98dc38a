#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|bytes: &[u8]| polars_avro_fuzz::salvage(bytes));
fuzz_mutator!(|bytes: &mut [u8], len: usize, most: usize, seed: u32| {
    polars_avro_fuzz::mutate(bytes, len, most, seed, 0)
});
