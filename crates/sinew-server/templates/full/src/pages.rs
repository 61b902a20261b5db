//! The pages behind the sign-in.

use axum::Extension;
use maud::{Markup, html};
use sinew::prelude::*;

use crate::accounts::Account;
use crate::database::Database;
use crate::layout;
use crate::reflexes::todos::{STREAM, Todos};
use crate::todos::{self, TITLE_CHARS_MAX, TODOS_MAX, Todo};

pub(crate) async fn todos(
    account: Account,
    Extension(database): Extension<Database>,
    sinew: SinewHandle,
    client: ClientTags,
) -> Result<layout::Page> {
    let todos = todos::all(&database, account.id).await?;
    let content = html! {
        // What one tab changes is broadcast to the others of the account.
        (sinew.stream_from(&[STREAM, &account.id.to_string()]).attribute("id", "todos-stream"))
        form.row data-reflex=(sinew::reflex!("submit" => Todos::add)) {
            label.grow for="title" {
                span.unseen { "New to-do" }
                input #title name="title" placeholder="What is to be done?" autocomplete="off" maxlength=(TITLE_CHARS_MAX);
            }
            button.primary { "Add" }
        }
        (list(&todos))
    };
    Ok(layout::page(&client, &account, "To-dos", content))
}

/// The part of the page that changes.
pub(crate) fn list(todos: &[Todo]) -> Markup {
    let left = todos.iter().filter(|todo| !todo.done).count();
    html! {
        div #todos {
            @if !todos.is_empty() {
                ul.todos {
                    @for todo in todos { (item(todo)) }
                }
            }
            p.quiet #left role="status" {
                @if todos.is_empty() { "Nothing yet." }
                @else if todos.len() >= TODOS_MAX as usize { "The list is full: remove something first." }
                @else { (left) " left" }
            }
        }
    }
}

fn item(todo: &Todo) -> Markup {
    let Todo { id, title, done } = todo;
    html! {
        li #{ "todo-" (id) } {
            label for={ "toggle-" (id) } {
                input #{ "toggle-" (id) } type="checkbox" checked[*done] data-id=(id)
                    data-reflex=(sinew::reflex!("change" => Todos::toggle));
                span.done[*done] { (title) }
            }
            button #{ "remove-" (id) } type="button" data-id=(id) aria-label={ "Remove " (title) }
                data-reflex=(sinew::reflex!("click" => Todos::remove)) { "×" }
        }
    }
}
