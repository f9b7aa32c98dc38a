use super::*;

/// A separate directory for each test, removed when the test ends.
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
        sink.write(b"new").unwrap();
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
    sink.write(b"new").unwrap();
    drop(sink);
    assert!(scratch.names().is_empty());
    fs::write(&path, "old").unwrap();
    let mut sink = FileSink::append(&path, 3, SyncOnClose::None).unwrap();
    sink.write(b"new").unwrap();
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
    sink.write(b"new").unwrap();
    sink.finish().unwrap();
    drop(sink);
    assert_eq!(fs::read(&path).unwrap(), b"oldnew");
}

#[test]
fn what_another_writer_appends_stays() {
    let scratch = Scratch::new("others");
    let path = scratch.0.join("a.avro");
    fs::write(&path, "old").unwrap();
    let [mut first, mut second] = [(), ()].map(|()| FileSink::append(&path, 3, SyncOnClose::None).unwrap());
    first.write(b"first").unwrap();
    let error = second.write(b"2").unwrap_err().to_string();
    assert!(error.contains("another writer has changed the file, which has 8 bytes and not 3"), "{error}");
    drop(second);
    first.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"oldfirst");

    let mut third = FileSink::append(&path, 8, SyncOnClose::None).unwrap();
    third.write(b"3").unwrap();
    fs::write(&path, "oldfirst3other").unwrap();
    assert!(third.finish().is_err());
    drop(third);
    assert_eq!(fs::read(&path).unwrap(), b"oldfirst3other");
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
    sink.write(b"new").unwrap();
    sink.finish().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}
