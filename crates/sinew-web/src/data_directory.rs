//! The folder in which an application keeps what must survive a restart.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// Makes the folder ready: creates it (readable by its owner only) and, when it has none,
/// gives it a `.gitignore` of `*`, so that neither the development secret nor a visitor's
/// session is ever committed. Whatever is already there stays as it is.
///
/// # Errors
///
/// What the system says when the folder cannot be created or written.
///
/// ```
/// let root = tempfile::tempdir()?;
/// let data = root.path().join(".sinew");
/// sinew_web::data_directory::prepare(&data)?;
/// assert_eq!(std::fs::read_to_string(data.join(".gitignore"))?, "*\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn prepare(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)?;
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path.join(".gitignore"))
    {
        Ok(mut file) => file.write_all(b"*\n"),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_call_keeps_what_is_there() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let data = root.path().join("deep/.sinew");
        prepare(&data).expect("created");
        fs::write(data.join(".gitignore"), "mine").expect("writable");
        prepare(&data).expect("still fine");
        assert_eq!(
            fs::read_to_string(data.join(".gitignore")).expect("readable"),
            "mine"
        );
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let data = root.path().join("occupied");
        fs::write(&data, "").expect("writable");
        assert!(prepare(&data).is_err());
    }
}
