//! Paths around a file that is written: where it is, its temporary name, its directories.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

/// Makes a directory and those around it; returns those that were missing, inner ones first.
pub(super) fn make_directories(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let missing = directory.ancestors().take_while(|directory| !directory.exists()).map(Path::to_owned).collect();
    fs::create_dir_all(directory)?;
    Ok(missing)
}

/// Removes directories as far as nothing is in them.
pub(super) fn remove_directories(made: &[PathBuf]) {
    for directory in made {
        drop(fs::remove_dir(directory));
    }
}

/// The absolute path of the file that is replaced, or begun: links stay, and the working directory may change meanwhile.
pub(super) fn resolve(path: &Path) -> PathBuf {
    if let Ok(path) = fs::canonicalize(path) {
        return path;
    }
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // As many links as Linux follows.
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(target) => path = directory(&path).join(target),
            Err(_) => break,
        }
    }
    path
}

/// Whether this open file is the one at a path.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (open, named) = (file.metadata()?, fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
}

/// A file that is open cannot be replaced there.
#[cfg(not(unix))]
pub(super) fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

pub(super) fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file beside the one named `name`. Long names are cut, since file systems bound them.
pub(super) fn temporary(directory: &Path, name: &std::ffi::OsStr) -> io::Result<(File, PathBuf)> {
    let name: String = name.to_string_lossy().chars().take(32).collect();
    loop {
        // A hasher's keys are random, which is all that a name needs.
        let random = RandomState::new().hash_one(std::process::id());
        let path = directory.join(format!(".{name}.{random:016x}.tmp"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let message = format!(
                    "cannot make a temporary file in the directory {}, as replacing a file needs: {error}",
                    directory.display()
                );
                return Err(io::Error::new(error.kind(), message));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Makes sure that the disk knows the name of a file.
#[cfg(unix)]
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

/// Directories cannot be opened there.
#[cfg(not(unix))]
pub(super) fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
