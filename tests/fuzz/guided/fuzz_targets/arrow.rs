#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| polars_avro_fuzz::arrow(bytes));
