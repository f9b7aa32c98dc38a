//! A local file, written under another name and renamed when it is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use paths::{directory, is_at, make_directories, open_stream, remove_directories, resolve, sync_directory, temporary};

use super::Sink;
use crate::{Error, Result};

/// The durability of a finished file when [`Sink::finish`] returns.
///
/// ```
/// use polars_avro::SyncOnClose;
///
/// assert_eq!(SyncOnClose::default(), SyncOnClose::None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncOnClose {
    /// The operating system writes the file to the disk in its own time.
    #[default]
    None,
    /// The file's bytes are on the disk.
    Data,
    /// The file's bytes and its metadata are on the disk.
    All,
}

/// A local file that is written. Any failure before [`Sink::finish`] has returned leaves the path as it was.
///
/// ```
/// use polars_avro::{FileSink, Sink, SyncOnClose};
///
/// let path = std::env::temp_dir().join(format!("polars_avro-sink-{}", std::process::id()));
/// let mut sink = FileSink::create(&path, SyncOnClose::None, false)?;
/// sink.write(b"Obj")?;
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
    /// The process that created the sink. A forked process inherits the sink, and must not undo the file.
    process: u32,
}

/// The steps that restore the path.
#[derive(Debug)]
enum Undo {
    /// The new file has its name: nothing is left to do.
    Finished,
    /// The bytes are in a temporary file, to be renamed. Directories were made for it, inner ones first.
    Remove { temporary: PathBuf, path: PathBuf, made: Vec<PathBuf> },
    /// The file had `end` bytes, and `written` were appended.
    CutBack { end: u64, written: u64, file: File, path: PathBuf },
    /// A pipe or a device cannot take bytes back.
    Impossible,
}

impl FileSink {
    /// Creates a new file, which replaces an existing one at this path. `mkdir` creates missing directories.
    ///
    /// Pipes, devices and open files (`/dev/stdout`, `/dev/fd/3`) are written to directly.
    ///
    /// # Errors
    /// [`ErrorKind::Source`](crate::ErrorKind::Source) if no file can be created beside the path.
    pub fn create(path: impl AsRef<Path>, sync: SyncOnClose, mkdir: bool) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        match begin(path, mkdir) {
            Ok((file, undo)) => Ok(Self { name, file, undo, sync, process: std::process::id() }),
            Err(error) => Err(Error::source(error).in_file(&name)),
        }
    }

    /// Appends to an existing file of `end` bytes. If it has more, another process writes to it: the sink then fails, and
    /// the bytes of other writers stay.
    ///
    /// # Errors
    /// As [`FileSink::create`].
    pub fn append(path: impl AsRef<Path>, end: u64, sync: SyncOnClose) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        // The path is made absolute, because the working directory may change.
        let path = std::path::absolute(path.as_ref()).unwrap_or_else(|_| path.as_ref().to_owned());
        // Some systems cannot truncate a file that is open for appending, so it is opened twice.
        let open = || Ok((OpenOptions::new().append(true).open(&path)?, OpenOptions::new().write(true).open(&path)?));
        match open() {
            Ok((file, whole)) => {
                let undo = Undo::CutBack { end, written: 0, file: whole, path };
                Ok(Self { name, file, undo, sync, process: std::process::id() })
            }
            Err(error) => Err(Error::source(error).in_file(&name)),
        }
    }

    /// Checks that an appended file ends at the last byte that this sink wrote.
    fn check_end(&self) -> io::Result<()> {
        let Undo::CutBack { end, written, .. } = &self.undo else { return Ok(()) };
        let found = self.file.metadata()?.len();
        if found == end + written {
            return Ok(());
        }
        let message = format!(
            "another writer has changed the file, which has {found} bytes and not {}: nothing more is appended, and \
             what is there stays; let only one writer append at a time",
            end + written
        );
        Err(io::Error::other(message))
    }

    /// Checks that an appended file still has its name.
    fn check_name(&self) -> io::Result<()> {
        match &self.undo {
            Undo::CutBack { path, .. } if !is_at(&self.file, path)? => Err(io::Error::other(
                "the file was replaced by another one while rows were appended to it, which are lost with it",
            )),
            _ => Ok(()),
        }
    }

    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.check_end()?;
        while !bytes.is_empty() {
            let put = match self.file.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(put) => put,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            bytes = &bytes[put..];
            if let Undo::CutBack { written, .. } = &mut self.undo {
                *written += put as u64;
            }
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.check_end()?;
        self.check_name()?;
        let synced = match self.sync {
            SyncOnClose::None => Ok(()),
            SyncOnClose::Data => self.file.sync_data(),
            SyncOnClose::All => self.file.sync_all(),
        };
        match synced {
            // Pipes and terminals have no disk to wait for.
            Err(error) if matches!(self.undo, Undo::Impossible) && error.kind() == io::ErrorKind::InvalidInput => {}
            synced => synced?,
        }
        if let Undo::Remove { temporary, path, .. } = &self.undo {
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

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.put(bytes).map_err(|error| Error::source(error).in_file(&self.name))
    }

    fn finish(&mut self) -> Result<()> {
        self.end().map_err(|error| Error::source(error).in_file(&self.name))
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        if std::process::id() != self.process {
            return;
        }
        // Errors are ignored, since a drop cannot return them.
        match &self.undo {
            Undo::Remove { temporary, made, .. } => {
                drop(fs::remove_file(temporary));
                remove_directories(made);
            }
            Undo::CutBack { end, file, .. } if self.check_end().is_ok() => drop(file.set_len(*end)),
            // Bytes of other writers must not be truncated.
            Undo::Finished | Undo::Impossible | Undo::CutBack { .. } => {}
        }
    }
}

/// Opens the file that takes the bytes for a path.
fn begin(path: &Path, mkdir: bool) -> io::Result<(File, Undo)> {
    if let Some(file) = open_stream(path)? {
        return Ok((file, Undo::Impossible));
    }
    let path = resolve(path);
    let old = match fs::metadata(&path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(metadata) = &old {
        // Fails for directories and for files that must not be written to.
        let file = OpenOptions::new().write(true).open(&path)?;
        if !metadata.is_file() {
            return Ok((file, Undo::Impossible));
        }
    }
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path does not end in a name"));
    };
    let directory = directory(&path);
    let made = if mkdir { make_directories(directory)? } else { Vec::new() };
    let (file, temporary) = match temporary(directory, name) {
        Ok(begun) => begun,
        Err(error) => {
            remove_directories(&made);
            return Err(error);
        }
    };
    if let Some(metadata) = old
        && let Err(error) = fs::set_permissions(&temporary, metadata.permissions())
    {
        drop(fs::remove_file(&temporary));
        return Err(error);
    }
    Ok((file, Undo::Remove { temporary, path: path.clone(), made }))
}

mod paths;
#[cfg(test)]
mod tests;
