//! A local file, read by position.
//!
//! Never mapped into memory: a mapped file that is cut short while it is read kills the process.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

use polars_buffer::Buffer;

use super::Source;
use crate::{Error, Result};

/// A local file. Its size is read when it is opened; bytes appended later are ignored.
///
/// ```
/// use polars_avro::{FileSource, Source};
///
/// let source = FileSource::open("docs/sample.avro")?;
/// assert_eq!(source.read_at(0, 3)?.as_slice(), b"Obj");
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Debug)]
pub struct FileSource {
    name: String,
    file: File,
    /// The source begins at this byte of the file.
    start: u64,
    size: u64,
}

impl FileSource {
    /// Opens a file.
    ///
    /// # Errors
    /// [`ErrorKind::Source`](crate::ErrorKind::Source) if the path cannot be opened or is not a regular file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let open = || {
            // Opening a pipe blocks until a writer opens it, so the type is checked first.
            check_is_file(&fs::metadata(path)?)?;
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            check_is_file(&metadata)?;
            Ok((file, metadata.len()))
        };
        match open() {
            Ok((file, size)) => Ok(Self { name, file, start: 0, size }),
            Err(error) => Err(Error::source(error).in_file(&name)),
        }
    }

    /// Creates a source of an open file, from byte `start` on. The file's cursor is neither used nor moved.
    ///
    /// # Errors
    /// [`ErrorKind::Source`](crate::ErrorKind::Source) if it is not a regular file.
    pub fn from_file(file: File, name: String, start: u64) -> Result<Self> {
        let metadata = file.metadata().and_then(|metadata| check_is_file(&metadata).map(|()| metadata));
        match metadata {
            Ok(metadata) => Ok(Self { name, file, start, size: metadata.len().saturating_sub(start) }),
            Err(error) => Err(Error::source(error).in_file(&name)),
        }
    }
}

fn check_is_file(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "a directory, not a file"));
    }
    if !metadata.is_file() {
        let message = "a pipe or a device: it cannot be read by position, pass its bytes instead";
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    Ok(())
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<Buffer<u8>> {
        self.read_at_reusing(offset, len, &[], Vec::new())
    }

    fn read_into(&self, offset: u64, out: &mut [u8]) -> Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = out.len().min(left);
        fill(&self.file, &mut out[..len], self.start + offset).map_err(|error| Error::source(error).in_file(&self.name))
    }

    fn read_at_reusing(&self, offset: u64, len: usize, known: &[u8], used: Vec<u8>) -> Result<Buffer<u8>> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        // Stable safe Rust cannot read by position into uninitialised memory. Reused memory is initialised up to its
        // length.
        let len = len.min(left);
        let known = &known[..known.len().min(len)];
        let mut bytes = used;
        if bytes.capacity() < len {
            // Reserves capacity for bytes that are appended later, such as the rest of a block: growing would copy all of
            // them.
            bytes = Vec::with_capacity(len.next_power_of_two());
        }
        bytes.resize(len, 0);
        bytes[..known.len()].copy_from_slice(known);
        let filled = fill(&self.file, &mut bytes[known.len()..], self.start + offset + known.len() as u64);
        let filled = filled.map_err(|error| Error::source(error).in_file(&self.name))?;
        bytes.truncate(known.len() + filled);
        Ok(bytes.into())
    }
}

/// Reads until `bytes` is full or the file ends; returns the number of bytes read.
fn fill(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match read_once(file, &mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_once(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, offset)
}

/// Reads at an offset. This moves the file's cursor, which no code here uses.
#[cfg(windows)]
fn read_once(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, offset)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::ErrorKind;

    /// A separate file for each test, removed when the test ends.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(test: &str, content: &[u8]) -> Self {
            let path = std::env::temp_dir().join(format!("polars_avro-{}-{test}", std::process::id()));
            std::fs::write(&path, content).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            std::fs::remove_file(&self.0).unwrap();
        }
    }

    #[test]
    fn reads_are_clipped_at_the_end() {
        let scratch = Scratch::new("clipped", b"0123456789");
        let source = FileSource::open(&scratch.0).unwrap();
        assert_eq!(source.size(), 10);
        assert_eq!(source.name(), scratch.0.display().to_string());
        assert_eq!(source.read_at(3, 4).unwrap().as_slice(), b"3456");
        assert_eq!(source.read_at(8, usize::MAX).unwrap().as_slice(), b"89");
        assert_eq!(source.read_at(u64::MAX, 4).unwrap().as_slice(), b"");
        let mut four = [0; 4];
        assert_eq!((source.read_into(3, &mut four).unwrap(), &four), (4, b"3456"));
        assert_eq!((source.read_into(8, &mut four).unwrap(), &four[..2]), (2, &b"89"[..]));
        assert_eq!(source.read_into(u64::MAX, &mut four).unwrap(), 0);
    }

    #[test]
    fn a_file_that_shrinks_gives_fewer_bytes() {
        let scratch = Scratch::new("shrinks", b"0123456789");
        let source = FileSource::open(&scratch.0).unwrap();
        File::options().write(true).open(&scratch.0).unwrap().set_len(5).unwrap();
        assert_eq!(source.read_at(3, 7).unwrap().as_slice(), b"34");
        assert_eq!(source.read_at(7, 3).unwrap().as_slice(), b"");
    }

    #[test]
    fn what_is_appended_later_is_not_seen() {
        let scratch = Scratch::new("grows", b"01234");
        let source = FileSource::open(&scratch.0).unwrap();
        std::fs::write(&scratch.0, b"0123456789").unwrap();
        assert_eq!(source.read_at(3, 7).unwrap().as_slice(), b"34");
    }

    #[test]
    fn an_open_file_begins_where_it_is_told() {
        let scratch = Scratch::new("open", b"0123456789");
        let source = FileSource::from_file(File::open(&scratch.0).unwrap(), "open".to_owned(), 4).unwrap();
        assert_eq!(source.size(), 6);
        assert_eq!(source.read_at(1, 3).unwrap().as_slice(), b"567");
        assert_eq!(source.read_at(4, 9).unwrap().as_slice(), b"89");
        let mut two = [0; 2];
        assert_eq!((source.read_into(0, &mut two).unwrap(), &two), (2, b"45"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = FileSource::open("no/such/file.avro").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Source);
        assert_eq!(error.io().unwrap().kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().starts_with("no/such/file.avro: "), "{error}");
    }

    #[test]
    fn a_directory_is_refused() {
        let error = FileSource::open(std::env::temp_dir()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Source);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_that_nobody_writes_to_is_refused_at_once() {
        let path = std::env::temp_dir().join(format!("polars_avro-{}-pipe", std::process::id()));
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = FileSource::open(&path).unwrap_err();
        fs::remove_file(&path).unwrap();
        assert_eq!((error.kind(), error.io().unwrap().kind()), (ErrorKind::Source, io::ErrorKind::Unsupported));
    }

    #[test]
    fn known_bytes_are_not_read_again() {
        let scratch = Scratch::new("known", b"0123456789");
        let source = FileSource::open(&scratch.0).unwrap();
        for used in [Vec::new(), vec![9; 3], vec![9; 30]] {
            let read = |len, known| source.read_at_reusing(3, len, known, used.clone()).unwrap();
            assert_eq!(read(5, b"ab").as_slice(), b"ab567");
            assert_eq!(read(100, b"ab").as_slice(), b"ab56789");
            assert_eq!(read(2, b"abc").as_slice(), b"ab");
        }
    }

    #[test]
    fn many_threads_read_one_file() {
        let content: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        let scratch = Scratch::new("threads", &content);
        let source = FileSource::open(&scratch.0).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (source, content) = (&source, &content);
                scope.spawn(move || {
                    for step in 0..200 {
                        let start = (thread * 7919 + step * 1931) % 390_000;
                        let bytes = source.read_at(start as u64, 1000).unwrap();
                        assert_eq!(bytes.as_slice(), &content[start..start + 1000]);
                    }
                });
            }
        });
    }
}
