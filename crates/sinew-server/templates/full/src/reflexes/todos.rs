//! The reflexes of the to-do list.

use sinew::prelude::*;

use crate::accounts;
use crate::database::Database;
use crate::pages;
use crate::todos;

/// The first part of the stream that an account's tabs follow; the other is the account's id.
pub(crate) const STREAM: &str = "todos";

pub(crate) struct Todos;

#[reflex]
impl Todos {
    async fn add(&self, cx: &mut Reflex) -> Result {
        let account = accounts::of(cx)?;
        let params = cx.params().await?;
        let title = params.get("title").unwrap_or_default().trim();
        if !title.is_empty() {
            todos::add(cx.state::<Database>(), account, title).await?;
        }
        // A morph leaves alone what was typed.
        cx.cable_ready().set_value("#title", "").set_focus("#title");
        show(cx, account).await
    }

    async fn toggle(&self, cx: &mut Reflex) -> Result {
        let (account, id) = (accounts::of(cx)?, id(cx)?);
        todos::toggle(cx.state::<Database>(), account, id).await?;
        show(cx, account).await
    }

    async fn remove(&self, cx: &mut Reflex) -> Result {
        let (account, id) = (accounts::of(cx)?, id(cx)?);
        todos::remove(cx.state::<Database>(), account, id).await?;
        // The button that had the focus is gone.
        cx.cable_ready().set_focus("#title");
        show(cx, account).await
    }
}

/// Shows the list as it is now: here, and in the other tabs of the account.
async fn show(cx: &mut Reflex, account: i64) -> Result {
    let todos = todos::all(cx.state::<Database>(), account).await?;
    let list = pages::list(&todos);
    let mut tabs = cx.cable_ready_to(format!("{STREAM}:{account}"));
    tabs.morph("#todos", list.0.as_str());
    tabs.broadcast().await?;
    cx.morph("#todos", list);
    Ok(())
}

/// The to-do that the element is about.
fn id(cx: &Reflex) -> Result<i64> {
    let id = cx.element().dataset().get("id").unwrap_or_default();
    Ok(id.parse()?)
}

#[cfg(test)]
mod tests {
    use crate::tests::{application, register, visit};

    #[tokio::test]
    async fn what_is_added_is_checked_and_removed() {
        let mut tab = visit("/").await;
        tab.fill("#title", " Water <b>the</b> plants ").await;
        tab.submit("#title").await;
        tab.assert_text("#todo-1 span", "Water <b>the</b> plants");
        tab.assert_text("#title", "");
        tab.click("#toggle-1").await;
        tab.assert_text("#left", "0 left");
        tab.click("#remove-1").await;
        tab.assert_text("#left", "Nothing yet.");
    }

    #[tokio::test]
    async fn other_tabs_of_the_account_see_it() {
        let mut one = visit("/").await;
        let mut other = one.browser().open_tab("/").await;
        one.fill("#title", "Tea").await;
        one.submit("#title").await;
        other.until("#todo-1 span", "Tea").await;
    }

    #[tokio::test]
    async fn nobody_sees_what_others_have() {
        let app = application();
        let mut ada = register(&app, "ada").await;
        ada.fill("#title", "Tea").await;
        ada.submit("#title").await;

        let bob = register(&app, "bob").await;
        bob.assert_text("#left", "Nothing yet.");
        ada.reload().await;
        ada.assert_text("#todo-1 span", "Tea");
    }
}
