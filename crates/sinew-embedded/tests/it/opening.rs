//! Every way in which opening fails says what to do.

use sinew_embedded::{EmbeddedError, EmbeddedStore, FILE_NAME};

#[track_caller]
fn check(directory: &std::path::Path, advice: &str) -> EmbeddedError {
    let error = EmbeddedStore::open(directory).unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.contains(advice), "{sentence}");
    error
}

#[test]
fn a_second_process_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let _first = EmbeddedStore::open(directory.path()).unwrap();
    let error = check(directory.path(), "stop that one first");
    assert!(matches!(error, EmbeddedError::Locked { .. }), "{error:?}");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = check(&file.join("data"), "create it for the user");
    assert!(
        matches!(error, EmbeddedError::Directory { .. }),
        "{error:?}"
    );
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join(FILE_NAME)).unwrap();
    let error = check(directory.path(), "give it and its directory to the user");
    assert!(
        matches!(error, EmbeddedError::NotWritable { .. }),
        "{error:?}"
    );
}

#[test]
fn something_else_in_its_place_is_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(FILE_NAME);
    for contents in ["not a database".repeat(1_000), "short".to_owned()] {
        std::fs::write(&file, &contents).unwrap();
        let error = check(directory.path(), "move it away");
        assert!(matches!(error, EmbeddedError::Corrupt { .. }), "{error:?}");
        assert_eq!(std::fs::read(&file).unwrap(), contents.as_bytes());
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("data");
    drop(EmbeddedStore::open(&directory).unwrap());
    for (path, mode) in [
        (directory.clone(), 0o700),
        (directory.join(FILE_NAME), 0o600),
    ] {
        let found = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode);
    }
}
