//! What Sinew does, one page and one module each.
//!
//! Run it with `cargo xtask demo` and open the printed address.

mod assets;
mod chat;
mod counter;
mod form;
mod job;
mod layout;
mod search;
mod table;
mod todos;
mod wire;

use axum::{Router, routing::get};
use sinew::prelude::*;

fn application() -> Sinew {
    let app = Router::new()
        .route("/", get(counter::page))
        .route("/todos", get(todos::page))
        .route("/search", get(search::page))
        .route("/form", get(form::page))
        .route("/chat", get(chat::page))
        .route("/job", get(job::page))
        .route("/table", get(table::page))
        .route("/wire", get(wire::page))
        .merge(assets::routes());
    Sinew::new(app)
        .state(chat::Room::default())
        .state(job::Jobs::default())
        .reflex(counter::Counter)
        .reflex(todos::Todos)
        .reflex(search::Search)
        .reflex(form::Form)
        .reflex(chat::Chat)
        .reflex(job::Job)
        .reflex(table::Table)
        .reflex(wire::Wire)
}

#[tokio::main]
async fn main() -> Result {
    application().serve().await
}

#[cfg(test)]
mod tests;
