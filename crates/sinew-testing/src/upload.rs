//! Files that a person chooses in a form, and how they travel.

/// A file that a person chooses in a field; see [`Tab::attach`](crate::Tab::attach).
///
/// ```
/// use sinew_testing::Upload;
///
/// let picture = Upload::new("cat.png", [0x89, b'P', b'N', b'G']).content_type("image/png");
/// assert_eq!(picture.name(), "cat.png");
/// ```
#[derive(Clone, Debug)]
pub struct Upload {
    name: String,
    content_type: String,
    content: Vec<u8>,
}

impl Upload {
    /// A file of this name, `application/octet-stream` unless told otherwise.
    pub fn new(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            content_type: "application/octet-stream".to_owned(),
            content: content.into(),
        }
    }

    /// Says what is in it, as a browser does by the ending of its name.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What a field of a form sends.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Text(String),
    File(Upload),
}

/// A request's body, and what kind it is of.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) content_type: String,
    pub(crate) bytes: Vec<u8>,
}

/// Writes a form as `multipart/form-data`, as browsers do. `boundary` occurs in none of the values.
pub(crate) fn multipart(entries: &[(String, Entry)], boundary: &str) -> Body {
    let mut bytes = Vec::new();
    for (name, entry) in entries {
        let name = quoted(name);
        let head = match entry {
            Entry::Text(_) => {
                format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n")
            }
            Entry::File(file) => format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{}\"\r\n\
                 Content-Type: {}\r\n\r\n",
                quoted(&file.name),
                file.content_type,
            ),
        };
        bytes.extend_from_slice(head.as_bytes());
        match entry {
            Entry::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Entry::File(file) => bytes.extend_from_slice(&file.content),
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Body {
        content_type: format!("multipart/form-data; boundary={boundary}"),
        bytes,
    }
}

/// A name between quotes, as the HTML standard escapes it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        let entries = [("a\"\r\nX: y".to_owned(), Entry::Text("1".to_owned()))];
        let body = multipart(&entries, "edge");
        let expected = "--edge\r\nContent-Disposition: form-data; \
            name=\"a%22%0D%0AX: y\"\r\n\r\n1\r\n--edge--\r\n";
        assert_eq!(String::from_utf8_lossy(&body.bytes), expected);
    }
}
