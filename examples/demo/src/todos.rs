//! TodoMVC in the session: add, toggle, edit, delete, filter.
//!
//! The filter is the page's address, so it can be linked to and survives a reload.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use sinew::prelude::*;

use crate::layout;

const INTRO: &str = "A list in your session. Double-click a todo, or press its Edit button, to change it; Escape gives up.";

/// Most todos a visitor may have: more would make the session too large.
const TODOS_MAX: usize = 100;
/// Longest title, in characters: what is over is cut.
const TITLE_CHARS_MAX: usize = 200;

#[derive(Clone, Serialize, Deserialize)]
struct Todo {
    id: u64,
    title: String,
    done: bool,
}

/// What the session keeps for this page.
#[derive(Clone, Default, Serialize, Deserialize)]
struct List {
    last_id: u64,
    items: Vec<Todo>,
    /// The todo whose title is a field at the moment.
    editing: Option<u64>,
}

impl List {
    fn add(&mut self, title: &str) {
        if !title.is_empty() && self.items.len() < TODOS_MAX {
            self.last_id += 1;
            self.items.push(Todo {
                id: self.last_id,
                title: title.to_owned(),
                done: false,
            });
        }
    }

    fn toggle(&mut self, id: u64) {
        if let Some(todo) = self.items.iter_mut().find(|todo| todo.id == id) {
            todo.done = !todo.done;
        }
    }

    /// All done, or all open again if they are done already.
    fn toggle_all(&mut self) {
        let done = !self.all_done();
        self.items.iter_mut().for_each(|todo| todo.done = done);
    }

    /// An empty title deletes. Enter and the loss of focus that follows both end up here: the
    /// second finds nothing to do.
    fn rename(&mut self, id: u64, title: &str) {
        if self.editing != Some(id) {
            return;
        }
        self.editing = None;
        if title.is_empty() {
            self.items.retain(|todo| todo.id != id);
        } else if let Some(todo) = self.items.iter_mut().find(|todo| todo.id == id) {
            title.clone_into(&mut todo.title);
        }
    }

    fn all_done(&self) -> bool {
        self.items.iter().all(|todo| todo.done)
    }

    fn left(&self) -> usize {
        self.items.iter().filter(|todo| !todo.done).count()
    }
}

/// The reflexes of this page. Each changes the list and lets the page be rendered again.
pub(crate) struct Todos;

#[reflex]
impl Todos {
    async fn add(&self, cx: &mut Reflex) -> Result {
        let title = title(cx).await?;
        // A morph leaves alone what looks the same, and what was typed is no attribute.
        cx.cable_ready().set_value("#new-todo", "");
        change(cx, move |list| list.add(&title)).await
    }

    async fn toggle(&self, cx: &mut Reflex) -> Result {
        let id = id(cx)?;
        change(cx, move |list| list.toggle(id)).await
    }

    async fn toggle_all(&self, cx: &mut Reflex) -> Result {
        change(cx, List::toggle_all).await
    }

    async fn edit(&self, cx: &mut Reflex) -> Result {
        let id = id(cx)?;
        cx.cable_ready().set_focus(format!("#edit-{id}"));
        change(cx, move |list| list.editing = Some(id)).await
    }

    async fn rename(&self, cx: &mut Reflex) -> Result {
        let (id, title) = (id(cx)?, title(cx).await?);
        // By Enter; who left the field has put the focus elsewhere already.
        if cx.element().tag_name() == Some("FORM") {
            cx.cable_ready().set_focus(format!("#edit-button-{id}"));
        }
        change(cx, move |list| list.rename(id, &title)).await
    }

    async fn cancel(&self, cx: &mut Reflex) -> Result {
        let id = id(cx)?;
        cx.cable_ready().set_focus(format!("#edit-button-{id}"));
        change(cx, |list| list.editing = None).await
    }

    async fn delete(&self, cx: &mut Reflex) -> Result {
        let id = id(cx)?;
        cx.cable_ready().set_focus("#new-todo");
        change(cx, move |list| list.items.retain(|todo| todo.id != id)).await
    }

    async fn clear_completed(&self, cx: &mut Reflex) -> Result {
        cx.cable_ready().set_focus("#new-todo");
        change(cx, |list| list.items.retain(|todo| !todo.done)).await
    }
}

async fn change(cx: &Reflex, change: impl Fn(&mut List) + Send + Sync + 'static) -> Result {
    let update = move |mut list: List| {
        change(&mut list);
        list
    };
    cx.session().update("todos", update).await?;
    Ok(())
}

fn id(cx: &Reflex) -> Result<u64> {
    let id = cx.element().dataset().get("id").unwrap_or_default();
    Ok(id.parse()?)
}

async fn title(cx: &mut Reflex) -> Result<String> {
    let params = cx.params().await?;
    let title = params.get("title").unwrap_or_default().trim();
    Ok(title.chars().take(TITLE_CHARS_MAX).collect())
}

/// Name in the address, name on the page, and which todos it shows.
type Filter = (&'static str, &'static str, fn(&Todo) -> bool);

const FILTERS: [Filter; 3] = [
    ("all", "All", |_| true),
    ("active", "Active", |todo| !todo.done),
    ("completed", "Completed", |todo| todo.done),
];

pub(crate) async fn page(
    session: Session,
    params: PageParams,
    client: ClientTags,
) -> Result<Markup> {
    let list: List = session.get_or_default("todos").await?;
    let show = params.get("show").unwrap_or_default();
    let filter = FILTERS.iter().find(|(name, ..)| *name == show);
    let (current, _, is_shown) = filter.unwrap_or(&FILTERS[0]);
    let left = list.left();

    let content = html! {
        form.row data-reflex=(sinew::reflex!("submit" => Todos::add)) {
            label.grow for="new-todo" {
                span.hidden { "New todo" }
                input #new-todo name="title" placeholder="What needs to be done?" autocomplete="off" maxlength=(TITLE_CHARS_MAX);
            }
            button.primary { "Add" }
        }
        @if !list.items.is_empty() {
            label.check.quiet for="toggle-all" {
                input #toggle-all type="checkbox" checked[list.all_done()]
                    data-reflex=(sinew::reflex!("change" => Todos::toggle_all));
                "All completed"
            }
            ul.todos aria-label="Todos" {
                @for todo in list.items.iter().filter(|todo| is_shown(todo)) {
                    (item(todo, list.editing == Some(todo.id)))
                }
            }
            div.row.between {
                span #left role="status" { strong { (left) } @if left == 1 { " item left" } @else { " items left" } }
                nav aria-label="Filter" {
                    ul.filters {
                        @for (name, label, _) in FILTERS {
                            li { a href={ "?show=" (name) } aria-current=[(name == *current).then_some("true")] { (label) } }
                        }
                    }
                }
                @if left < list.items.len() {
                    button #clear-completed type="button" data-reflex=(sinew::reflex!("click" => Todos::clear_completed)) { "Clear completed" }
                }
            }
        }
    };
    Ok(layout::page(&client, "/todos", INTRO, content))
}

fn item(todo: &Todo, editing: bool) -> Markup {
    let Todo { id, title, done } = todo;
    // demo.js makes `cancelled` of the Escape key.
    let field_reflex = [
        sinew::reflex!("blur" => Todos::rename),
        sinew::reflex!("cancelled" => Todos::cancel),
    ]
    .join(" ");
    html! {
        li #{ "todo-" (id) } .done[*done] {
            @if editing {
                form.row.grow data-id=(id) data-reflex=(sinew::reflex!("submit" => Todos::rename)) {
                    label.grow for={ "edit-" (id) } {
                        span.hidden { "Title" }
                        input #{ "edit-" (id) } name="title" value=(title) autocomplete="off" maxlength=(TITLE_CHARS_MAX)
                            data-id=(id) data-reflex=(field_reflex);
                    }
                    button { "Save" }
                }
            } @else {
                label.check.grow for={ "toggle-" (id) } data-id=(id) data-reflex=(sinew::reflex!("dblclick" => Todos::edit)) {
                    input #{ "toggle-" (id) } type="checkbox" checked[*done] data-id=(id)
                        data-reflex=(sinew::reflex!("change" => Todos::toggle));
                    span { (title) }
                }
                button #{ "edit-button-" (id) } type="button" data-id=(id) aria-label={ "Edit " (title) }
                    data-reflex=(sinew::reflex!("click" => Todos::edit)) { "Edit" }
                button #{ "delete-" (id) } type="button" data-id=(id) aria-label={ "Delete " (title) }
                    data-reflex=(sinew::reflex!("click" => Todos::delete)) { "×" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_ends_once() {
        let mut list = List::default();
        list.add("tea");
        list.editing = Some(1);
        list.rename(1, "coffee");
        list.rename(1, "");
        assert_eq!(list.items[0].title, "coffee");
    }

    #[test]
    fn toggling_all_completes_and_reopens() {
        let mut list = List::default();
        list.add("tea");
        list.add("milk");
        list.toggle(2);
        list.toggle_all();
        assert_eq!(list.left(), 0);
        list.toggle_all();
        assert_eq!(list.left(), 2);
    }
}
