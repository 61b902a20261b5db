//! History, storage, focus, cookies.

use std::borrow::Cow;

use super::{Operation, Operations, Storage, Target};

/// # History, storage, focus, cookies
///
/// ```
/// use sinew_cable_ready::{Operations, Storage};
///
/// let mut operations = Operations::new();
/// operations
///     .set_storage_item(Storage::Local, "theme", "dark")
///     .remove_storage_item(Storage::Session, "draft")
///     .clear_storage(Storage::Session)
///     .set_cookie("theme=dark; path=/; max-age=31536000")
///     .push_state("/items?page=2")
///     .replace_state("/items?page=3")
///     .go(-1)
///     .redirect_to("/sign-in")
///     .reload()
///     .scroll_into_view("#latest")
///     .set_focus("#search");
///
/// let json: serde_json::Value = serde_json::from_str(&operations.to_json())?;
/// assert_eq!(
///     json[0],
///     serde_json::json!({"key": "theme", "value": "dark", "type": "local", "operation": "setStorageItem"})
/// );
/// assert_eq!(json[1]["operation"], "removeStorageItem");
/// assert_eq!(json[3]["cookie"], "theme=dark; path=/; max-age=31536000");
/// assert_eq!(json[4]["url"], "/items?page=2");
/// assert_eq!(json[6]["delta"], -1);
/// assert_eq!(json[9]["selector"], "#latest");
/// assert_eq!(json[10]["operation"], "setFocus");
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Operations {
    /// Empties a storage.
    pub fn clear_storage(&mut self, storage: Storage) -> &mut Self {
        self.push(Operation::new("clearStorage").text("type", storage.as_str()))
    }

    /// Writes an item of a storage.
    pub fn set_storage_item(
        &mut self,
        storage: Storage,
        key: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> &mut Self {
        self.push(
            Operation::new("setStorageItem")
                .text("key", key)
                .text("value", value.into())
                .text("type", storage.as_str()),
        )
    }

    /// Removes an item of a storage.
    pub fn remove_storage_item(
        &mut self,
        storage: Storage,
        key: impl Into<Cow<'static, str>>,
    ) -> &mut Self {
        self.push(
            Operation::new("removeStorageItem")
                .text("key", key)
                .text("type", storage.as_str()),
        )
    }

    /// Sets a cookie from JavaScript, so never an HttpOnly one. `cookie` is the whole text, `a=1; path=/`.
    pub fn set_cookie(&mut self, cookie: impl Into<String>) -> &mut Self {
        self.push(Operation::new("setCookie").text("cookie", cookie.into()))
    }

    /// Moves in the history: -1 is one page back, 0 reloads.
    pub fn go(&mut self, delta: i32) -> &mut Self {
        self.push(Operation::new("go").option("delta", delta))
    }

    /// Adds an entry to the history and shows `url` in the address bar, without loading it.
    ///
    /// In Sinew's embedded client the entry is one of Turbo's, so that Back asks the server for what the entry before
    /// stands for: let the page's handler render what its address says.
    pub fn push_state(&mut self, url: impl Into<String>) -> &mut Self {
        self.push(Operation::new("pushState").text("url", url.into()))
    }

    /// Replaces the current entry of the history, without loading `url`.
    pub fn replace_state(&mut self, url: impl Into<String>) -> &mut Self {
        self.push(Operation::new("replaceState").text("url", url.into()))
    }

    /// Goes to `url`, by a Turbo visit where Turbo is there.
    pub fn redirect_to(&mut self, url: impl Into<String>) -> &mut Self {
        self.push(Operation::new("redirectTo").text("url", url.into()))
    }

    /// Loads the page anew.
    pub fn reload(&mut self) -> &mut Self {
        self.push(Operation::new("reload"))
    }

    /// Scrolls until the target is visible.
    pub fn scroll_into_view(&mut self, target: impl Into<Target>) -> &mut Self {
        self.push(Operation::new("scrollIntoView").at(target))
    }

    /// Gives the focus to the target.
    pub fn set_focus(&mut self, target: impl Into<Target>) -> &mut Self {
        self.push(Operation::new("setFocus").at(target))
    }
}
