//! Who somebody is: accounts with a name and a password.

mod attempts;
pub(crate) mod pages;
mod passwords;

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use rusqlite::{OptionalExtension as _, params};
use sinew::prelude::*;

use crate::database::Database;
use attempts::Attempts;
use passwords::Passwords;

/// What the session and the connection call the account's id.
pub(crate) const ID: &str = "account_id";

/// Attempts to register or to sign in that one name may have within [`attempts::WINDOW`]. Past it the
/// right password waits too: a stranger can keep a name out, and cannot go on guessing.
const PER_NAME_MAX: u32 = 10;
/// The same for one address, behind which there may be an office.
const PER_ADDRESS_MAX: u32 = 50;

/// Somebody who has signed in. A handler that takes it sends everybody else to the sign-in.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// The id of the account that calls a reflex: `identify` lets nobody else in.
pub(crate) fn of(cx: &Reflex) -> Result<i64> {
    match cx.identifier(ID) {
        Some(id) => Ok(id.parse()?),
        None => cx.forbid(),
    }
}

/// Why somebody is not let in.
pub(crate) enum Refused {
    /// The field that is wrong, and what to do about it.
    Field(&'static str, &'static str),
    TooManyAttempts,
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

#[derive(Clone)]
pub(crate) struct Accounts {
    database: Database,
    passwords: Passwords,
    attempts: Attempts,
}

impl Accounts {
    pub(crate) fn new(database: Database) -> Self {
        Self {
            database,
            passwords: Passwords::default(),
            attempts: Attempts::default(),
        }
    }

    pub(crate) async fn register(
        &self,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
    ) -> Result<Account, Refused> {
        if !is_name(name) {
            let sentence = "Use 2 to 32 letters, digits, dots and hyphens.";
            return Err(Refused::Field("name", sentence));
        }
        if !passwords::is_long_enough(password) {
            return Err(Refused::Field("password", "Use 10 to 128 characters."));
        }
        self.admit(name, from)?;
        let hash = self.passwords.hash(password.to_owned()).await?;
        let sql = "INSERT INTO accounts (name, password_hash) VALUES (?1, ?2)
            ON CONFLICT DO NOTHING RETURNING id, name";
        let new = name.to_owned();
        let insert = move |connection: &mut rusqlite::Connection| {
            let row = connection.query_row(sql, params![new, hash], account);
            row.optional()
        };
        let account = self.database.run(insert).await?;
        account.ok_or(Refused::Field("name", "This name is taken."))
    }

    /// A wrong password and a name that nobody has are answered alike, after the same work.
    pub(crate) async fn sign_in(
        &self,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
    ) -> Result<Account, Refused> {
        const WRONG: Refused = Refused::Field("password", "Name and password do not match.");
        if !is_name(name) || !passwords::is_long_enough(password) {
            return Err(WRONG);
        }
        self.admit(name, from)?;
        let sql = "SELECT id, name, password_hash FROM accounts WHERE name = ?1";
        let asked = name.to_owned();
        let find = move |connection: &mut rusqlite::Connection| {
            let row = connection.query_row(sql, [asked], |row| Ok((account(row)?, row.get(2)?)));
            row.optional()
        };
        let (account, hash) = self.database.run(find).await?.unzip();
        let is_right = self.passwords.verify(password.to_owned(), hash).await?;
        match account {
            Some(account) if is_right => {
                self.attempts.forget(&of_name(name));
                Ok(account)
            }
            _ => Err(WRONG),
        }
    }

    async fn find(&self, id: i64) -> Result<Option<Account>> {
        let sql = "SELECT id, name FROM accounts WHERE id = ?1";
        self.database
            .run(move |connection| connection.query_row(sql, [id], account).optional())
            .await
    }

    fn admit(&self, name: &str, from: Option<IpAddr>) -> Result<(), Refused> {
        let address = from.map(|address| format!("address {address}"));
        let admitted = address.is_none_or(|key| self.attempts.admit(key, PER_ADDRESS_MAX))
            && self.attempts.admit(of_name(name), PER_NAME_MAX);
        if admitted {
            Ok(())
        } else {
            Err(Refused::TooManyAttempts)
        }
    }
}

fn account(row: &rusqlite::Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get(0)?,
        name: row.get(1)?,
    })
}

fn of_name(name: &str) -> String {
    format!("name {}", name.to_ascii_lowercase())
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    (2..=32).contains(&name.len()) && name.bytes().all(is_allowed)
}

impl<S: Send + Sync> FromRequestParts<S> for Account {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(|missing| missing.into_response())?;
        let accounts = parts.extensions.get::<Accounts>().cloned();
        match signed_in(&session, accounts).await {
            Ok(Some(account)) => Ok(account),
            Ok(None) => Err(Redirect::to("/sign-in").into_response()),
            Err(error) => Err(error.into_response()),
        }
    }
}

async fn signed_in(session: &Session, accounts: Option<Accounts>) -> Result<Option<Account>> {
    let accounts = accounts.ok_or("the application was given no accounts")?;
    match session.get(ID).await? {
        Some(id) => accounts.find(id).await,
        None => Ok(None),
    }
}
