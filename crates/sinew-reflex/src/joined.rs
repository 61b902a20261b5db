//! Joins texts while compiling, for `reflex!`.

/// How long the texts are together.
#[doc(hidden)]
pub const fn joined_len(parts: &[&str]) -> usize {
    let mut length = 0;
    let mut index = 0;
    while index < parts.len() {
        length += parts[index].len();
        index += 1;
    }
    length
}

/// The bytes of the texts, one after another.
#[doc(hidden)]
pub const fn joined<const LENGTH: usize>(parts: &[&str]) -> [u8; LENGTH] {
    let mut out = [0; LENGTH];
    let (mut at, mut index) = (0, 0);
    while index < parts.len() {
        let bytes = parts[index].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            out[at] = bytes[byte];
            at += 1;
            byte += 1;
        }
        index += 1;
    }
    out
}

/// The joined bytes as the text they are.
#[doc(hidden)]
pub const fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("texts joined are a text"),
    }
}
