use super::*;

/// Returns values that double in length every 500, so that estimates from the first ones are wrong.
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
        let FullBuffers { buffers, bytes, .. } = &*column.full;
        assert_eq!(*bytes, buffers.iter().map(Buffer::len).sum::<usize>());
        assert!(buffers.iter().all(|full| full.len() + longest >= BUFFER_BYTES.start));
        assert!((2..40).contains(&buffers.len()), "{} buffers", buffers.len());
        assert!(column.tail.capacity() <= BUFFER_BYTES.end, "{} of {long} bytes", column.tail.capacity());
    }
}

/// Decodes these values; returns the size of each full buffer and the capacity of the last one.
fn buffers(column: &mut Views<Utf8>, texts: &[String], reserve_at: usize) -> (Vec<usize>, usize) {
    for (at, text) in texts.iter().enumerate() {
        if at == reserve_at {
            column.reserve(texts.len() - at);
        }
        column.decode(&encoded(text), 0).unwrap();
    }
    let (room, full) = (column.tail.capacity(), column.full.buffers.iter().map(Buffer::len).collect());
    assert_eq!(column.finish().len(), texts.len());
    assert_eq!((column.tail_index, column.bytes()), (0, 0));
    (full, room)
}

#[test]
fn buffers_have_the_size_of_what_is_likely_to_come() {
    let (mut column, texts) = (Views::<Utf8>::default(), vec!["sixteen letters.".repeat(4); 20_000]);
    let (full, room) = buffers(&mut column, &texts, 2_000);
    let grown = full.iter().skip_while(|len| **len < BUFFER_BYTES.end);
    assert!(grown.clone().count() > 7 && grown.clone().all(|len| *len == BUFFER_BYTES.end), "{full:?}");
    // The bytes that are not in full buffers, plus the margin of a sixteenth in an estimate.
    let left = 20_000 * 64 % BUFFER_BYTES.end + 20_000 * 64 / 16;
    assert!(room <= left, "{room}");
    // The next batch estimates from this one.
    let (full, room) = buffers(&mut column, &texts, 0);
    assert_eq!(full, vec![BUFFER_BYTES.end; 20_000 * 64 / BUFFER_BYTES.end]);
    assert!(room <= left, "{room}");
}
