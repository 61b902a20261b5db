//! Names of streams, as CableReady forms them.

use crate::selector::underscore;

/// The broadcasting name of a channel class: without a final `Channel`, `::` as `:`, snake case.
///
/// ```
/// use sinew_cable_ready::channel_name;
/// assert_eq!(channel_name("UsersChannel"), "users");
/// assert_eq!(channel_name("Chats::AppearancesChannel"), "chats:appearances");
/// assert_eq!(channel_name("LineItemChannel"), "line_item");
/// ```
pub fn channel_name(class: &str) -> String {
    let class = class.strip_suffix("Channel").unwrap_or(class);
    let parts: Vec<String> = class.split("::").map(underscore).collect();
    parts.join(":")
}

/// The stream of a compound key: the parts that are there, joined by `:`.
///
/// ```
/// use sinew_cable_ready::stream_key;
/// assert_eq!(stream_key([Some("gid://app/Post/1"), None, Some("comments")]), "gid://app/Post/1:comments");
/// assert_eq!(stream_key([Some("news")]), "news");
/// ```
pub fn stream_key<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let mut key = String::new();
    for (index, part) in parts.into_iter().flatten().enumerate() {
        if index > 0 {
            key.push(':');
        }
        key.push_str(part);
    }
    key
}
