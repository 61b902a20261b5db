//! The application: its pages, its reflexes, and who may call them.

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::{Router, routing::get, routing::post};
use sinew::cable::{ConnectionIdentifiers, Refusal, Visitor};
use sinew::prelude::*;

use crate::accounts::{self, Accounts};
use crate::database::Database;
use crate::{assets, pages, reflexes, same_origin};

/// Bytes a form may have: 16 KiB. A larger one is answered with 413.
const FORM_BYTES_MAX: usize = 16 * 1024;

pub(crate) fn application(database: Database) -> Sinew {
    use accounts::pages::{register, register_form, sign_in, sign_in_form, sign_out};

    let router = Router::new()
        .route("/", get(pages::todos))
        .route("/register", get(register_form).post(register))
        .route("/sign-in", get(sign_in_form).post(sign_in))
        .route("/sign-out", post(sign_out))
        .merge(assets::routes())
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(from_fn(same_origin::require));
    Sinew::new(router)
        .state(Accounts::new(database.clone()))
        .state(database)
        .identify(signed_in)
        // `sinew generate reflex` adds its line below this one.
        .reflex(reflexes::todos::Todos)
}

/// A socket is for those who have signed in: every reflex can rely on its account.
///
/// So pages for everybody else are written without the client (see `layout.rs`).
async fn signed_in(visitor: Visitor) -> Result<ConnectionIdentifiers, Refusal> {
    let session = visitor.session().ok_or(Refusal::unauthorized())?;
    let account: Option<i64> = session.get(accounts::ID).await.ok().flatten();
    let account = account.ok_or(Refusal::unauthorized())?;
    Ok(ConnectionIdentifiers::new().with(accounts::ID, account.to_string()))
}
