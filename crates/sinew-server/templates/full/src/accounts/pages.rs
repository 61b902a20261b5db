//! Registering, signing in and signing out: ordinary forms, which work without the client.
//!
//! A form that was accepted is answered with 303, one that was not with 422 and the form again.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Extension, Form};
use maud::{Markup, html};
use serde::Deserialize;
use sinew::config::Effective;
use sinew::prelude::*;

use super::{Account, Accounts, ID, Refused};
use crate::layout;

/// What was typed.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
}

/// What the two forms do not have in common.
struct Door {
    title: &'static str,
    address: &'static str,
    /// Tells password managers whether they shall make one up.
    autocomplete: &'static str,
    hint: Option<&'static str>,
    question: &'static str,
}

const REGISTER: Door = Door {
    title: "Register",
    address: "/register",
    autocomplete: "new-password",
    hint: Some("At least 10 characters."),
    question: "Registered already?",
};

const SIGN_IN: Door = Door {
    title: "Sign in",
    address: "/sign-in",
    autocomplete: "current-password",
    hint: None,
    question: "New here?",
};

pub(crate) async fn register_form() -> Markup {
    form(&REGISTER, "", None)
}

pub(crate) async fn sign_in_form() -> Markup {
    form(&SIGN_IN, "", None)
}

pub(crate) async fn register(
    Extension(accounts): Extension<Accounts>,
    session: Session,
    effective: Effective,
    Form(Credentials { name, password }): Form<Credentials>,
) -> Result<Response> {
    let from = effective.client_address;
    let account = accounts.register(name.trim(), &password, from).await;
    enter(&REGISTER, &session, name.trim(), account).await
}

pub(crate) async fn sign_in(
    Extension(accounts): Extension<Accounts>,
    session: Session,
    effective: Effective,
    Form(Credentials { name, password }): Form<Credentials>,
) -> Result<Response> {
    let from = effective.client_address;
    let account = accounts.sign_in(name.trim(), &password, from).await;
    enter(&SIGN_IN, &session, name.trim(), account).await
}

/// Ends the session, and with it every socket that was opened with it.
pub(crate) async fn sign_out(session: Session) -> Redirect {
    session.destroy();
    Redirect::to("/sign-in")
}

/// Lets somebody in, or shows the form again with what is wrong.
async fn enter(
    door: &Door,
    session: &Session,
    name: &str,
    account: Result<Account, Refused>,
) -> Result<Response> {
    let (status, field, sentence) = match account {
        Ok(account) => {
            // Nothing from before the sign-in stays, and the session gets a new id: one that
            // somebody has planted or seen is worth nothing.
            session.reset().await?;
            session.set(ID, &account.id).await?;
            return Ok(Redirect::to("/").into_response());
        }
        Err(Refused::Field(field, sentence)) => (StatusCode::UNPROCESSABLE_ENTITY, field, sentence),
        Err(Refused::TooManyAttempts) => {
            let sentence = "Too many attempts. Try again in a few minutes.";
            (StatusCode::TOO_MANY_REQUESTS, "password", sentence)
        }
        Err(Refused::Failed(error)) => return Err(error),
    };
    let form = form(door, name, Some((field, sentence)));
    Ok((status, form).into_response())
}

fn form(door: &Door, name: &str, problem: Option<(&str, &str)>) -> Markup {
    let problem_of = |field| problem.filter(|(of, _)| *of == field).map(|(_, text)| text);
    let other = if door.address == SIGN_IN.address {
        &REGISTER
    } else {
        &SIGN_IN
    };
    let content = html! {
        // A page of its own follows, with a socket of the new session.
        form method="post" action=(door.address) data-turbo="false" {
            (field("name", "Name", "text", name, "username", None, problem_of("name")))
            (field("password", "Password", "password", "", door.autocomplete, door.hint, problem_of("password")))
            div.row { button.primary { (door.title) } }
        }
        p.quiet { (door.question) " " a href=(other.address) { (other.title) } }
    };
    layout::public_page(door.title, content)
}

fn field(
    name: &str,
    label: &str,
    kind: &str,
    value: &str,
    autocomplete: &str,
    hint: Option<&str>,
    problem: Option<&str>,
) -> Markup {
    // What screen readers say with the field; the first field with a problem gets the focus.
    let described = problem.map_or(hint.map(|_| "hint"), |_| Some("problem"));
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type=(kind) value=(value) autocomplete=(autocomplete) required
                autofocus[problem.is_some()]
                aria-invalid=[problem.map(|_| "true")]
                aria-describedby=[described.map(|what| format!("{name}-{what}"))];
            @if let Some(problem) = problem {
                p.problem #{ (name) "-problem" } { (problem) }
            } @else if let Some(hint) = hint {
                p.quiet #{ (name) "-hint" } { (hint) }
            }
        }
    }
}
