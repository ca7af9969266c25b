//! What every file system must do, whatever it is made of.

use std::io::ErrorKind;
use std::path::Path;

use super::{Fs, Kind, Open};

/// Checks `fs` below the existing folder `root`.
pub(super) fn contract(fs: &dyn Fs, root: &Path) {
    let at = |name: &str| root.join(name);
    files(fs, root);
    links(fs, root);
    fs.mkdir_all(&at("m/n/o")).unwrap();
    fs.mkdir_all(&at("m/n/o")).unwrap();
    assert_eq!(fs.mkdir(&at("m")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs.rmdir(&at("m")).unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
    fs.rename(&at("m/n"), &at("moved")).unwrap();
    assert_eq!(fs.stat(&at("moved/o")).unwrap().kind, Kind::Folder);
    fs.rmdir(&at("m")).unwrap();
    let lock = fs.lock(&at("lock")).unwrap();
    assert!(lock.is_some() && fs.lock(&at("lock")).unwrap().is_none());
    drop(lock);
    assert!(fs.lock(&at("lock")).unwrap().is_some());
    fs.sync_dir(root).unwrap();
    fs.sync_all(root).unwrap();
    assert!(fs.free_space(root).unwrap() > 0);
}

fn files(fs: &dyn Fs, root: &Path) {
    let at = |name: &str| root.join(name);
    assert_eq!(fs.open(&at("a"), Open::Read).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(fs.open(&at("x/a"), Open::Create).unwrap_err().kind(), ErrorKind::NotFound);
    let file = fs.open(&at("a"), Open::CreateNew).unwrap();
    assert_eq!(fs.open(&at("a"), Open::CreateNew).unwrap_err().kind(), ErrorKind::AlreadyExists);
    file.write_at(b"hello", 0).unwrap();
    file.write_at(b"!", 7).unwrap();
    assert_eq!(fs.read(&at("a")).unwrap(), b"hello\0\0!");
    file.set_size(5).unwrap();
    file.sync().unwrap();
    let mut buffer = [0; 8];
    assert_eq!(file.read_at(&mut buffer, 3).unwrap(), 2);
    assert_eq!(file.read_at(&mut buffer, 9).unwrap(), 0);
    assert_eq!((file.size().unwrap(), fs.stat(&at("a")).unwrap().size), (5, 5));
    fs.write(&at("a"), b"new").unwrap();
    fs.copy(&at("a"), &at("b")).unwrap();
    assert_eq!(fs.copy(&at("a"), &at("b")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs.read(&at("b")).unwrap(), b"new");
    let time = "2022-02-24T12:35:18.196484592Z".parse().unwrap();
    fs.set_modified(&at("b"), time).unwrap();
    assert_eq!(fs.stat(&at("b")).unwrap().modified, time);
    let open = fs.open(&at("b"), Open::Read).unwrap();
    fs.unlink(&at("b")).unwrap();
    assert_eq!(open.read_at(&mut buffer, 0).unwrap(), 3);
}

fn links(fs: &dyn Fs, root: &Path) {
    let at = |name: &str| root.join(name);
    fs.write(&at("one"), b"1").unwrap();
    fs.link(&at("one"), &at("two")).unwrap();
    fs.unlink(&at("one")).unwrap();
    assert_eq!(fs.read(&at("two")).unwrap(), b"1");
    fs.symlink(Path::new("../anything"), &at("s")).unwrap();
    assert_eq!(fs.readlink(&at("s")).unwrap(), Path::new("../anything"));
    assert_eq!(fs.stat(&at("s")).unwrap().kind, Kind::Symlink);
    assert!(fs.readlink(&at("two")).is_err());
    fs.rename(&at("s"), &at("two")).unwrap();
    assert_eq!(fs.stat(&at("two")).unwrap().kind, Kind::Symlink);
    let mut names: Vec<_> = fs.read_dir(root).unwrap().into_iter().map(|e| e.name).collect();
    names.sort();
    assert_eq!(names, ["a", "two"]);
    fs.unlink(&at("two")).unwrap();
    assert_eq!(fs.unlink(&at("two")).unwrap_err().kind(), ErrorKind::NotFound);
}
