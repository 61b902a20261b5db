//! The application: its pages and its reflexes.

use axum::{Router, routing::get};
use sinew::prelude::*;

use crate::{assets, pages, reflexes};

pub(crate) fn application() -> Sinew {
    let router = Router::new()
        .route("/", get(pages::counter))
        .merge(assets::routes());
    Sinew::new(router)
        // `sinew generate reflex` adds its line below this one.
        .reflex(reflexes::counter::Counter)
}
