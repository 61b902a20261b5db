//! Headers at rest.

use std::fmt;

use bytes::{Buf as _, BufMut as _, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers in one piece of memory, for a connection that seldom looks at them.
///
/// A [`HeaderMap`] of a browser's four takes a kibibyte, this a quarter of that.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header};
/// use sinew_reflex::PackedHeaders;
///
/// let mut headers = HeaderMap::new();
/// headers.append(header::COOKIE, HeaderValue::from_static("a=1"));
/// headers.append(header::COOKIE, HeaderValue::from_static("b=2"));
/// assert_eq!(PackedHeaders::from_iter(&headers).unpack(), headers);
/// ```
#[derive(Clone, Default)]
pub struct PackedHeaders(Bytes);

impl PackedHeaders {
    /// The headers as a map. Its values share the packed memory.
    pub fn unpack(&self) -> HeaderMap {
        let mut rest = self.0.clone();
        let mut headers = HeaderMap::new();
        while rest.remaining() > 0 {
            let (name, value) = (rest.get_u32() as usize, rest.get_u32() as usize);
            let name = HeaderName::from_bytes(&rest.split_to(name));
            let value = HeaderValue::from_maybe_shared(rest.split_to(value));
            // Both were a name and a value when they were packed.
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        headers
    }
}

impl<'a> FromIterator<(&'a HeaderName, &'a HeaderValue)> for PackedHeaders {
    fn from_iter<T: IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)>>(headers: T) -> Self {
        let mut packed = Vec::new();
        for (name, value) in headers {
            let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
            // One that is too long for its place does not reach a server.
            if let (Ok(name_bytes), Ok(value_bytes)) =
                (u32::try_from(name.len()), u32::try_from(value.len()))
            {
                packed.put_u32(name_bytes);
                packed.put_u32(value_bytes);
                packed.put_slice(name);
                packed.put_slice(value);
            }
        }
        Self(packed.into_boxed_slice().into())
    }
}

/// Without values: there are cookies among them.
impl fmt::Debug for PackedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.unpack().keys()).finish()
    }
}
