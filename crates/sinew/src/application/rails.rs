//! Sessions in the cookie of a Rails application.

use super::{Sinew, Storage};
use crate::config::RailsCookie;

impl Sinew {
    /// Keeps each session in the cookie of a Rails application, which both read and write: who has logged in there is
    /// logged in here, and the other way round. `SINEW_SECRET` is its `secret_key_base`, and `SINEW_COOKIE_NAME` the
    /// `key` of its session store.
    ///
    /// Reflexes write to it as with [`cookie_sessions`](Self::cookie_sessions). What Rails writes counts from the next
    /// request on that comes to this application. The cookie holds about 1,700 bytes of JSON. A session that Rails has
    /// written with Marshal is none here. The
    /// chapter on Rails (`docs/guide/rails-sessions.md`) goes through it step by step.
    ///
    /// ```
    /// # use axum::{Router, routing::get};
    /// # use sinew::prelude::*;
    /// use sinew::config::{Digest, RailsCookie};
    ///
    /// async fn index(session: Session) -> Result<String> {
    ///     let user: Option<i64> = session.get("user_id").await?;
    ///     Ok(format!("{user:?}"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result {
    /// # let mut config = sinew::Config::default();
    /// # config.edge.configured_secret = Some(sinew::config::Secret::generate()?);
    /// // An application with the defaults of Rails 6.1.
    /// let rails = RailsCookie { digest: Digest::Sha1, ..RailsCookie::default() };
    /// let sinew = Sinew::new(Router::new().route("/", get(index))).rails_cookie_sessions(rails);
    /// # let app = sinew.config(config).build()?;
    /// # let app = sinew_testing::TestApp::from_app(app);
    /// # app.visit("/").await.assert_text("body", "None");
    /// # Ok(()) }
    /// ```
    pub fn rails_cookie_sessions(mut self, rails: RailsCookie) -> Self {
        self.storage = Storage::Cookies;
        self.rails_cookie = Some(rails);
        self
    }
}
