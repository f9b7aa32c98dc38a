use super::*;

/// Values that double in length every 500, so that no guess from the first ones holds.
fn texts() -> Vec<String> {
    (0..4_000).map(|at| format!("{at:06}").repeat(3 << (at / 500))).collect()
}

fn encoded(value: &str) -> Vec<u8> {
    let len = value.len() as u64 * 2;
    let mut bytes = vec![len as u8 | 0x80, (len >> 7) as u8];
    bytes.extend_from_slice(value.as_bytes());
    bytes.extend([0; 64]);
    bytes
}

#[test]
fn buffers_that_are_full_stay_where_they_are_and_hold_little_else() {
    for reserved in [false, true] {
        let (mut column, texts) = (Views::<Utf8>::default(), texts());
        for (at, text) in texts.iter().enumerate() {
            if reserved && at == 100 {
                column.reserve(texts.len() - at);
            }
            column.decode(&encoded(text), 0).unwrap();
        }
        assert!(texts.iter().enumerate().all(|(at, text)| column.value(at) == text.as_bytes()));
        let long: usize = texts.iter().map(String::len).filter(|len| *len > 12).sum();
        assert_eq!(column.bytes(), long);
        let longest = texts.iter().map(String::len).max().unwrap();
        assert!(column.full.iter().all(|full| full.len() + longest >= FEW_BYTES));
        assert!((2..30).contains(&column.full.len()), "{} buffers", column.full.len());
        assert!(column.tail.capacity() <= long / 3, "{} of {long} bytes", column.tail.capacity());
    }
}
