//! The cache, in a reflex.

use sinew_store::cache::Cache;

use crate::reflex::Reflex;

impl Reflex {
    /// What is dear to compute, kept for a while. It is state of the engine, which the facade gives it.
    ///
    /// ```
    /// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server.rs")); }
    /// # use server::Server;
    /// use std::sync::Arc;
    /// use sinew_macros::reflex;
    /// use sinew_reflex::Reflex;
    /// use sinew_store::cache::{Cache, MemoryCache};
    ///
    /// struct Visits;
    ///
    /// #[reflex(crate = sinew_reflex)]
    /// impl Visits {
    ///     async fn count(&self, cx: &mut Reflex) {
    ///         let visits = cx.cache().increment("visits", 1, ()).await.unwrap_or_default();
    ///         cx.morph("#visits", visits.to_string());
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cache = Cache::new(Arc::new(MemoryCache::new()));
    /// let mut server = Server::new(|engine| engine.reflex(Visits).state(cache)).await;
    /// let reply = server.call("Visits#count").await;
    /// assert_eq!(reply["operations"][0]["html"], "1");
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`Reflex::state`].
    pub fn cache(&self) -> &Cache {
        self.state()
    }
}
