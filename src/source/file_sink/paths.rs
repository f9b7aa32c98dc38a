//! Paths of a file that is written: its target, its temporary name, its directories.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

/// Creates a directory and its missing parents; returns the created ones, inner ones first.
pub(super) fn make_directories(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let missing = directory.ancestors().take_while(|directory| !directory.exists()).map(Path::to_owned).collect();
    fs::create_dir_all(directory)?;
    Ok(missing)
}

/// Removes directories that are empty.
pub(super) fn remove_directories(made: &[PathBuf]) {
    for directory in made {
        drop(fs::remove_dir(directory));
    }
}

/// Resolves the absolute path of the file that is replaced or created: links stay, and the working directory may change.
pub(super) fn resolve(path: &Path) -> PathBuf {
    if let Ok(path) = fs::canonicalize(path) {
        return path;
    }
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // The maximum number of links that Linux follows.
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(target) => path = directory(&path).join(target),
            Err(_) => break,
        }
    }
    path
}

/// Returns the open file of this process that a path refers to, such as `/dev/stdout` or `/dev/fd/3`. It is written to, not
/// replaced.
#[cfg(unix)]
pub(super) fn open_stream(path: &Path) -> io::Result<Option<File>> {
    use std::os::fd::AsFd;
    let Some((path, number)) = descriptor(path) else { return Ok(None) };
    let file = match number {
        1 => io::stdout().as_fd().try_clone_to_owned()?.into(),
        2 => io::stderr().as_fd().try_clone_to_owned()?.into(),
        // Opening it again resets the position, so existing content would be overwritten without `append`.
        _ => {
            let file = OpenOptions::new().append(true).open(path)?;
            check_descriptor(number, &file)?;
            file
        }
    };
    Ok(Some(file))
}

/// Checks that a descriptor of a file may be written to, and that its position is the end of the file. Only Linux tells.
#[cfg(unix)]
fn check_descriptor(number: u32, file: &File) -> io::Result<()> {
    const ACCESS: u64 = 3;
    const APPEND: u64 = 0o2000;
    let metadata = file.metadata()?;
    let Ok(info) = fs::read_to_string(format!("/proc/self/fdinfo/{number}")) else { return Ok(()) };
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
    let position = field("pos:").and_then(|text| text.parse::<u64>().ok());
    let flags = field("flags:").and_then(|text| u64::from_str_radix(text, 8).ok());
    let (Some(position), Some(flags), true) = (position, flags, metadata.is_file()) else { return Ok(()) };
    if flags & ACCESS == 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the descriptor is not open for writing"));
    }
    if position != metadata.len() && flags & APPEND == 0 {
        let message = format!(
            "the descriptor is at byte {position} of a file of {} bytes, which would be overwritten: pass the path or \
             the open file",
            metadata.len()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

/// Returns `None`: other systems have no paths of open files.
#[cfg(not(unix))]
pub(super) fn open_stream(_path: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// Returns the descriptor number that a path or a link in its chain names, and the path that names it.
#[cfg(unix)]
fn descriptor(path: &Path) -> Option<(PathBuf, u32)> {
    let mut path = std::path::absolute(path).ok()?;
    // The maximum number of links that Linux follows.
    for _ in 0..40 {
        let text = path.to_str()?;
        let number = match text {
            "/dev/stdout" => Some(1),
            "/dev/stderr" => Some(2),
            _ => ["/dev/fd/", "/proc/self/fd/", &format!("/proc/{}/fd/", std::process::id())]
                .iter()
                .find_map(|directory| text.strip_prefix(directory)?.parse().ok()),
        };
        if let Some(number) = number {
            return Some((path, number));
        }
        path = directory(&path).join(fs::read_link(&path).ok()?);
    }
    None
}

/// Returns true if this open file is the one at a path.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (open, named) = (file.metadata()?, fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
}

/// Returns true: other systems do not allow an open file to be replaced.
#[cfg(not(unix))]
pub(super) fn is_at(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

pub(super) fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a temporary file beside the one named `name`. Long names are cut, since file systems bound them.
pub(super) fn temporary(directory: &Path, name: &std::ffi::OsStr) -> io::Result<(File, PathBuf)> {
    let name: String = name.to_string_lossy().chars().take(32).collect();
    loop {
        // The random keys of a hasher are random enough for a file name.
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

/// Syncs the directory of a file, so that its name is on the disk.
#[cfg(unix)]
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

/// Does nothing: other systems cannot open directories.
#[cfg(not(unix))]
pub(super) fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
