//! A local file, written under another name and renamed when it is complete.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::Sink;
use crate::{Error, Result};

/// How far a finished file has come when [`Sink::finish`] returns.
///
/// ```
/// use polars_avro::SyncOnClose;
///
/// assert_eq!(SyncOnClose::default(), SyncOnClose::None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncOnClose {
    /// The operating system writes it to the disk in its own time.
    #[default]
    None,
    /// Its bytes are on the disk.
    Data,
    /// Its bytes and all that the file system notes about it are on the disk.
    All,
}

/// A local file that is written. Whatever fails before [`Sink::finish`] has returned leaves the path as it was.
///
/// ```
/// use polars_avro::{FileSink, Sink, SyncOnClose};
///
/// let path = std::env::temp_dir().join(format!("polars_avro-sink-{}", std::process::id()));
/// let mut sink = FileSink::create(&path, SyncOnClose::None, false)?;
/// sink.write(b"Obj".to_vec())?;
/// assert!(!path.exists());
/// sink.finish()?;
/// assert_eq!(std::fs::read(&path)?, b"Obj");
/// # std::fs::remove_file(path)?;
/// # Ok::<(), polars_avro::Error>(())
/// ```
#[derive(Debug)]
pub struct FileSink {
    name: String,
    file: File,
    undo: Undo,
    sync: SyncOnClose,
}

/// How to leave the path as it was.
#[derive(Debug)]
enum Undo {
    /// The new file has its name: nothing to do.
    Finished,
    /// The bytes are in a file of their own, to be renamed.
    Remove { temporary: PathBuf, path: PathBuf },
    /// The file was longer by nothing than this.
    CutBack(u64),
    /// A pipe or a device takes no bytes back.
    Impossible,
}

impl FileSink {
    /// Begins a new file, which replaces the one of this path if there is one. `mkdir` makes missing directories.
    ///
    /// # Errors
    /// [`ErrorKind::Source`](crate::ErrorKind::Source) where no file can be made beside the path.
    pub fn create(path: impl AsRef<Path>, sync: SyncOnClose, mkdir: bool) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        match begin(path, mkdir) {
            Ok((file, undo)) => Ok(Self { name, file, undo, sync }),
            Err(error) => Err(Error::source(error).in_file(&name)),
        }
    }

    /// Goes on after the first `end` bytes of a file that exists.
    ///
    /// # Errors
    /// As [`FileSink::create`].
    pub fn append(path: impl AsRef<Path>, end: u64, sync: SyncOnClose) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let open = || {
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.seek(SeekFrom::Start(end))?;
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(Self { name, file, undo: Undo::CutBack(end), sync }),
            Err(error) => Err(Error::source(error).in_file(&name)),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        match self.sync {
            SyncOnClose::None => {}
            SyncOnClose::Data => self.file.sync_data()?,
            SyncOnClose::All => self.file.sync_all()?,
        }
        if let Undo::Remove { temporary, path } = &self.undo {
            fs::rename(temporary, path)?;
        }
        let undo = std::mem::replace(&mut self.undo, Undo::Finished);
        match undo {
            Undo::Remove { path, .. } if self.sync != SyncOnClose::None => sync_directory(&path),
            _ => Ok(()),
        }
    }
}

impl Sink for FileSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.file.write_all(&bytes).map_err(|error| Error::source(error).in_file(&self.name))
    }

    fn finish(&mut self) -> Result<()> {
        self.end().map_err(|error| Error::source(error).in_file(&self.name))
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        // Nobody is left to tell that it failed.
        match &self.undo {
            Undo::Finished | Undo::Impossible => {}
            Undo::Remove { temporary, .. } => drop(fs::remove_file(temporary)),
            Undo::CutBack(end) => drop(self.file.set_len(*end)),
        }
    }
}

/// The file that takes the bytes for a path.
fn begin(path: &Path, mkdir: bool) -> io::Result<(File, Undo)> {
    // A link stays one: what it points to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = match fs::metadata(&path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(metadata) = &old {
        // Directories and files that must not be written to fail here.
        let file = OpenOptions::new().write(true).open(&path)?;
        if !metadata.is_file() {
            return Ok((file, Undo::Impossible));
        }
    }
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path does not end in a name"));
    };
    let directory = directory(&path);
    if mkdir {
        fs::create_dir_all(directory)?;
    }
    let (file, temporary) = temporary(directory, name)?;
    let undo = Undo::Remove { temporary, path: path.clone() };
    if let (Some(metadata), Undo::Remove { temporary, .. }) = (old, &undo)
        && let Err(error) = fs::set_permissions(temporary, metadata.permissions())
    {
        drop(fs::remove_file(temporary));
        return Err(error);
    }
    Ok((file, undo))
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file beside the one named `name`. Long names are cut, since file systems bound them.
fn temporary(directory: &Path, name: &std::ffi::OsStr) -> io::Result<(File, PathBuf)> {
    let name: String = name.to_string_lossy().chars().take(32).collect();
    loop {
        // A hasher's keys are random, which is all that a name needs.
        let random = RandomState::new().hash_one(std::process::id());
        let path = directory.join(format!(".{name}.{random:016x}.tmp"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes sure that the disk knows the name of a file.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

/// Directories cannot be opened there.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own for each test, gone when the test ends.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("polars_avro-sink-{}-{test}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.collect()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_file_is_there_once_it_is_finished() {
        for sync in [SyncOnClose::None, SyncOnClose::Data, SyncOnClose::All] {
            let scratch = Scratch::new("finished");
            let path = scratch.0.join("a.avro");
            fs::write(&path, "old").unwrap();
            let mut sink = FileSink::create(&path, sync, false).unwrap();
            sink.write(b"new".to_vec()).unwrap();
            assert_eq!((fs::read(&path).unwrap(), scratch.names().len()), (b"old".to_vec(), 2));
            sink.finish().unwrap();
            drop(sink);
            assert_eq!((fs::read(&path).unwrap(), scratch.names()), (b"new".to_vec(), vec!["a.avro".to_owned()]));
        }
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_nothing() {
        let scratch = Scratch::new("dropped");
        let path = scratch.0.join("a.avro");
        let mut sink = FileSink::create(&path, SyncOnClose::None, false).unwrap();
        sink.write(b"new".to_vec()).unwrap();
        drop(sink);
        assert!(scratch.names().is_empty());
        fs::write(&path, "old").unwrap();
        let mut sink = FileSink::append(&path, 3, SyncOnClose::None).unwrap();
        sink.write(b"new".to_vec()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"oldnew");
        drop(sink);
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn an_appended_file_grows() {
        let scratch = Scratch::new("append");
        let path = scratch.0.join("a.avro");
        fs::write(&path, "old").unwrap();
        let mut sink = FileSink::append(&path, 3, SyncOnClose::Data).unwrap();
        sink.write(b"new".to_vec()).unwrap();
        sink.finish().unwrap();
        drop(sink);
        assert_eq!(fs::read(&path).unwrap(), b"oldnew");
    }

    #[test]
    fn missing_directories_are_made_if_wanted() {
        let scratch = Scratch::new("mkdir");
        let path = scratch.0.join("x/y/a.avro");
        let error = FileSink::create(&path, SyncOnClose::None, false).unwrap_err();
        assert_eq!(error.io().unwrap().kind(), io::ErrorKind::NotFound);
        FileSink::create(&path, SyncOnClose::None, true).unwrap().finish().unwrap();
        assert!(path.exists());
        let error = FileSink::create(&scratch.0, SyncOnClose::None, false).unwrap_err();
        assert_eq!(error.io().unwrap().kind(), io::ErrorKind::IsADirectory);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_mode_stays() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::new("link");
        let (path, link) = (scratch.0.join("a.avro"), scratch.0.join("b.avro"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut sink = FileSink::create(&link, SyncOnClose::None, false).unwrap();
        sink.write(b"new".to_vec()).unwrap();
        sink.finish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
