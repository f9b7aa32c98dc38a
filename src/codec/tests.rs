//! Tests that every codec must pass.

use super::*;

const LIMIT: usize = 1 << 30;

/// Returns deterministic bytes without a pattern (xorshift).
fn random(len: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn compressible(len: usize) -> Vec<u8> {
    random(len).iter().enumerate().map(|(index, byte)| if index % 3 == 0 { byte % 16 } else { b'a' }).collect()
}

fn compress(codec: Codec, level: Option<i32>, data: &[u8]) -> Vec<u8> {
    let mut block = b"what was here before".to_vec();
    let len = Compressor::new(codec, level).unwrap().compress(data, &mut block, 9).unwrap();
    assert!(block.starts_with(b"what was "));
    block[9..9 + len].to_vec()
}

fn decompress(codec: Codec, block: &[u8], limit: usize) -> Result<Vec<u8>> {
    let mut out = b"what was here before".to_vec();
    Decompressor::new().decompress(codec, block, &mut out, limit).map(|_| out)
}

fn compressing() -> impl Iterator<Item = Codec> {
    Codec::ALL.into_iter().filter(|&codec| codec != Codec::Null)
}

#[test]
fn names_are_those_of_the_specification() {
    for codec in Codec::ALL {
        assert_eq!(Codec::from_name(codec.name()).unwrap(), codec);
    }
    let error = Codec::from_name("lz4").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let message = "the codec `lz4` is not supported; supported are null, deflate, snappy, zstandard, bzip2, xz";
    assert_eq!(error.message(), message);
}

#[test]
fn a_codec_that_is_left_out_names_its_feature() {
    let error = Codec::Xz.left_out();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.message(), "the codec `xz` needs the cargo feature `xz` of polars-avro-plugin");
    assert!(Codec::ALL.into_iter().all(|codec| codec.check_enabled().is_ok()), "tests run with every codec");
}

#[test]
fn every_codec_gives_back_what_it_was_given() {
    for codec in Codec::ALL {
        let mut decompressor = Decompressor::new();
        let mut compressor = Compressor::new(codec, None).unwrap();
        let (mut block, mut out) = (Vec::new(), Vec::new());
        // Large before small: no bytes of the previous block may remain.
        for len in [0, 1, 100, 65_536, 3 << 20, 100, 1, 0] {
            for data in [random(len), compressible(len), vec![7; len]] {
                let len = compressor.compress(&data, &mut block, 0).unwrap();
                decompressor.decompress(codec, &block[..len], &mut out, LIMIT).unwrap();
                assert!(out == data, "{codec:?}: {len} bytes");
                // The caller appends padding in the same way.
                out.extend_from_slice(&[0xAA; 32]);
            }
        }
    }
}

#[test]
fn every_level_is_read_back_and_no_other_is_taken() {
    let data = compressible(10_000);
    let levels = [(Codec::Deflate, 0, 12), (Codec::Zstandard, -7, 22), (Codec::Bzip2, 1, 9), (Codec::Xz, 0, 9)];
    for (codec, low, high) in levels {
        for level in low..=high {
            assert_eq!(decompress(codec, &compress(codec, Some(level), &data), LIMIT).unwrap(), data);
        }
        let error = Compressor::new(codec, Some(high + 1)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Argument);
    }
    for codec in [Codec::Null, Codec::Snappy] {
        assert_eq!(Compressor::new(codec, Some(1)).err().unwrap().kind(), ErrorKind::Argument);
    }
}

#[test]
fn a_block_cut_short_is_refused_or_has_no_end() {
    for codec in compressing() {
        for data in [random(5000), compressible(5000)] {
            let block = compress(codec, None, &data);
            for len in [1, 3, 4, 5, block.len() / 2, block.len() - 1] {
                let mut out = Vec::new();
                match Decompressor::new().decompress(codec, &block[..len], &mut out, LIMIT) {
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Data, "{codec:?} {len} {error}");
                        assert_eq!(error.message().matches(codec.name()).count(), 1, "{error}");
                    }
                    // The number of rows shows if a deflate stream without an end marker is complete.
                    Ok(end) => {
                        assert_eq!((codec, end), (Codec::Deflate, StreamEnd::Missing), "{len}");
                        assert!(data.starts_with(&out), "{len}");
                    }
                }
            }
        }
    }
}

#[test]
fn an_empty_block_holds_nothing_but_where_a_codec_needs_an_end() {
    assert_eq!(decompress(Codec::Null, &[], LIMIT).unwrap(), b"");
    assert_eq!(decompress(Codec::Zstandard, &[], LIMIT).unwrap(), b"");
    let empty = Decompressor::new().decompress(Codec::Deflate, &[], &mut Vec::new(), LIMIT);
    assert_eq!(empty.unwrap(), StreamEnd::Missing);
    for codec in [Codec::Snappy, Codec::Bzip2, Codec::Xz] {
        assert_eq!(decompress(codec, &[], LIMIT).unwrap_err().kind(), ErrorKind::Data);
    }
}

#[test]
fn garbage_is_refused_without_large_allocations() {
    let noise = random(4096);
    for codec in compressing() {
        let mut decompressor = Decompressor::new();
        for start in 0..3000 {
            let mut out = Vec::new();
            let result = decompressor.decompress(codec, &noise[start..start + 1000], &mut out, LIMIT);
            // A stored deflate block can end at any position, so some noise is valid.
            assert!(result.is_err() || codec == Codec::Deflate, "{codec:?} {start}");
            assert!(out.capacity() <= 1 << 18, "{codec:?} {start}: {}", out.capacity());
        }
    }
}

#[test]
fn damage_costs_no_more_than_the_block_could_hold() {
    for codec in compressing() {
        let (data, mut decompressor) = (compressible(20_000), Decompressor::new());
        let block = compress(codec, None, &data);
        for index in (0..block.len()).step_by(block.len() / 500 + 1) {
            let mut damaged = block.clone();
            damaged[index] ^= 0x55;
            let mut out = Vec::new();
            let result = decompressor.decompress(codec, &damaged, &mut out, LIMIT);
            // Deflate and zstandard (as written here) carry no checksum.
            let unchecked = matches!(codec, Codec::Deflate | Codec::Zstandard);
            assert!(unchecked || result.is_err() || out == data, "{codec:?} {index}");
            assert!(out.capacity() <= 1032 * block.len(), "{codec:?} {index}: {}", out.capacity());
        }
        decompressor.decompress(codec, &block, &mut Vec::new(), LIMIT).expect("damage leaves no trace");
    }
}

#[test]
fn a_block_over_the_limit_is_refused_before_it_is_in_memory() {
    let zeros = vec![0; 64 << 20];
    for codec in compressing() {
        let block = compress(codec, None, &zeros);
        let mut out = Vec::new();
        let error = Decompressor::new().decompress(codec, &block, &mut out, 1 << 20).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        assert!(error.message().contains("`block_bytes`"), "{error}");
        assert!(out.capacity() <= 3 << 20, "{codec:?}: {}", out.capacity());
    }
}

#[test]
fn a_block_of_exactly_the_limit_is_read() {
    let data = compressible(10_000);
    for codec in compressing() {
        let block = compress(codec, None, &data);
        assert_eq!(decompress(codec, &block, data.len()).unwrap(), data);
        assert_eq!(decompress(codec, &block, data.len() - 1).unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(decompress(codec, &block, 0).unwrap_err().kind(), ErrorKind::Limit);
    }
}

#[test]
fn nothing_is_zeroed_or_moved_when_blocks_are_alike() {
    let data = compressible(50_000);
    for codec in Codec::ALL {
        let (block, mut out, mut decompressor) = (compress(codec, None, &data), Vec::new(), Decompressor::new());
        decompressor.decompress(codec, &block, &mut out, LIMIT).unwrap();
        out.resize(out.len() + SLACK, 0);
        decompressor.decompress(codec, &block, &mut out, LIMIT).unwrap();
        let (pointer, capacity) = (out.as_ptr(), out.capacity());
        out.resize(out.len() + SLACK, 0);
        decompressor.decompress(codec, &block, &mut out, LIMIT).unwrap();
        assert_eq!((out.as_ptr(), out.capacity()), (pointer, capacity), "{codec:?}");
    }
}

#[test]
fn snappy_checks_the_crc() {
    // 0x03: three bytes of content; 0x08: a literal of three; "abc"; CRC-32 of "abc".
    let block = [0x03, 0x08, b'a', b'b', b'c', 0x35, 0x24, 0x41, 0xC2];
    assert_eq!(decompress(Codec::Snappy, &block, LIMIT).unwrap(), b"abc");
    let mut wrong = block;
    wrong[8] ^= 1;
    let error = decompress(Codec::Snappy, &wrong, LIMIT).unwrap_err();
    assert_eq!(error.message(), "snappy: the content has the CRC 352441c2, the block says 352441c3");
    let mut wrong = block;
    wrong[2] = b'b';
    assert_eq!(decompress(Codec::Snappy, &wrong, LIMIT).unwrap_err().kind(), ErrorKind::Data);
}

#[test]
fn a_lying_snappy_preamble_allocates_nothing() {
    // The preamble claims 2^32 - 1 bytes; one literal byte and a CRC follow.
    let block = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x00, b'a', 0, 0, 0, 0];
    let mut out = Vec::new();
    let error = Decompressor::new().decompress(Codec::Snappy, &block, &mut out, usize::MAX).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert_eq!(out.capacity(), 0);
}

#[test]
fn bytes_after_a_deflate_stream_are_found_but_for_a_checksum() {
    for data in [Vec::new(), compressible(1000), compressible(300_000), random(100_000)] {
        let block = compress(Codec::Deflate, None, &data);
        let end_with = |more: &[u8]| {
            let (block, mut out) = ([&block[..], more].concat(), Vec::new());
            let end = Decompressor::new().decompress(Codec::Deflate, &block, &mut out, LIMIT).unwrap();
            assert_eq!(out, data);
            end
        };
        let checksum = libdeflater::adler32(&data).to_be_bytes();
        for n in 0..=4 {
            assert_eq!(end_with(&checksum[..n]), StreamEnd::Marked, "{n}");
        }
        for more in [&[checksum[0] ^ 1][..], &[checksum[0], checksum[1] ^ 1], &[&checksum[..], b"0"].concat(), &block] {
            assert_eq!(end_with(more), StreamEnd::Followed);
        }
    }
}

/// The binding of libdeflate returns the same as the safe crate, for good and bad input and every size of the output.
#[test]
fn the_binding_of_libdeflate_agrees_with_libdeflater() {
    use crate::ffi::libdeflate::{Failure, Inflater};
    use libdeflater::DecompressionError;

    let (mut ours, mut safe) = (Inflater::new(), libdeflater::Decompressor::new());
    let mut seen = [0; 3];
    for data in [Vec::new(), compressible(300), random(300)] {
        let block = compress(Codec::Deflate, None, &data);
        for at in 0..block.len() * 8 {
            let mut block = [&block[..], &[0; 2]].concat();
            // The first turn leaves the block as it is.
            block[at / 8] ^= (1 << (at % 8)) & u8::from(at > 0).wrapping_neg();
            for room in [0, 1, data.len().saturating_sub(1), data.len(), data.len() + 1, 5000] {
                let (mut out, mut expected) = (vec![0; room], vec![0; room]);
                match (ours.inflate(&block, &mut out), safe.deflate_decompress(&block, &mut expected)) {
                    (Ok(sizes), Ok(content)) => {
                        assert_eq!(out[..sizes.content], expected[..content]);
                        assert!(sizes.stream <= block.len());
                        seen[0] += 1;
                    }
                    (Err(Failure::BadData), Err(DecompressionError::BadData)) => seen[1] += 1,
                    (Err(Failure::InsufficientSpace), Err(DecompressionError::InsufficientSpace)) => seen[2] += 1,
                    (ours, safe) => panic!("{ours:?} {safe:?}"),
                }
            }
        }
    }
    assert!(seen.iter().all(|&n| n > 100), "{seen:?}");
}

#[test]
fn streams_one_after_the_other_are_one_block() {
    let (first, second) = (compressible(70_000), random(1000));
    for codec in [Codec::Zstandard, Codec::Bzip2, Codec::Xz] {
        let mut block = compress(codec, None, &first);
        block.extend(compress(codec, None, &second));
        assert_eq!(decompress(codec, &block, LIMIT).unwrap(), [&first[..], &second].concat());
        block.extend_from_slice(b"garbage");
        let mut out = Vec::new();
        let end = Decompressor::new().decompress(codec, &block, &mut out, LIMIT);
        match codec {
            Codec::Zstandard => assert_eq!(end.unwrap_err().kind(), ErrorKind::Data),
            _ => assert_eq!((end.unwrap(), out), (StreamEnd::Followed, [&first[..], &second].concat())),
        }
    }
}

#[test]
fn zstandard_frames_need_not_tell_their_size() {
    use std::io::Write;
    for data in [compressible(300_000), vec![0; 10 << 20]] {
        let mut stream = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
        stream.write_all(&data).unwrap();
        let block = stream.finish().unwrap();
        assert_eq!(zstd::zstd_safe::get_frame_content_size(&block).unwrap(), None);
        assert!(decompress(Codec::Zstandard, &block, LIMIT).unwrap() == data);
    }
}

#[test]
fn a_lying_zstandard_frame_allocates_little() {
    // Magic; descriptor: single segment, size in 4 bytes; size 2^29; last raw block of 1 byte.
    let block = [0x28, 0xB5, 0x2F, 0xFD, 0xA0, 0, 0, 0, 0x20, 0x09, 0, 0, b'a'];
    assert_eq!(zstd::zstd_safe::get_frame_content_size(&block).unwrap(), Some(1 << 29));
    let mut out = Vec::new();
    let error = Decompressor::new().decompress(Codec::Zstandard, &block, &mut out, LIMIT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(out.capacity() < 1000, "{}", out.capacity());
}

#[test]
fn an_xz_dictionary_out_of_proportion_is_refused_by_name() {
    use liblzma::stream::{Action, Check, Filters, LzmaOptions, Stream};
    let mut options = LzmaOptions::new_preset(0).unwrap();
    options.dict_size(256 << 20);
    let mut filters = Filters::new();
    filters.lzma2(&options);
    let mut block = Vec::with_capacity(1000);
    let mut stream = Stream::new_stream_encoder(&filters, Check::Crc32).unwrap();
    stream.process_vec(b"abc", &mut block, Action::Finish).unwrap();
    let error = decompress(Codec::Xz, &block, LIMIT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.message(), "xz: the block needs a dictionary of more than 128 MiB");
}
