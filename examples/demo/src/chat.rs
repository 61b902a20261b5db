//! A room for everybody who has this page open: what one says is broadcast to all.
//!
//! The page follows a signed stream with `<cable-ready-stream-from>`; saying something appends one
//! list item to every page that does. Whoever lost the connection meanwhile gets the whole list.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Extension;
use maud::{Markup, html};
use sinew::prelude::*;

use crate::layout;

const INTRO: &str = "Open this page in a second browser and talk to yourself.";
const STREAM: &str = "chat";

/// Messages the room remembers and a page shows; older ones are forgotten.
const MESSAGES_MAX: usize = 50;
/// Longest message, in characters: what is over is cut.
const TEXT_CHARS_MAX: usize = 500;
/// Longest name, in characters: what is over is cut.
const NAME_CHARS_MAX: usize = 30;

#[derive(Clone)]
struct Message {
    id: u64,
    name: String,
    text: String,
}

/// What was said lately, in memory.
#[derive(Clone, Default)]
pub(crate) struct Room(Arc<Mutex<VecDeque<Message>>>);

impl Room {
    /// Remembers a message; gives it back with the one it has pushed out.
    fn say(&self, name: String, text: String) -> (Message, Option<Message>) {
        let mut messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = messages.back().map_or(1, |last| last.id + 1);
        let message = Message { id, name, text };
        messages.push_back(message.clone());
        let forgotten = (messages.len() > MESSAGES_MAX).then(|| messages.pop_front());
        (message, forgotten.flatten())
    }

    fn messages(&self) -> Vec<Message> {
        let messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        messages.iter().cloned().collect()
    }
}

/// The reflexes of this page.
pub(crate) struct Chat;

#[reflex]
impl Chat {
    /// What was said while the connection was lost did not arrive: the list again, and nothing
    /// else, since somebody may be typing.
    async fn catch_up(&self, cx: &mut Reflex) -> Result {
        let room = cx.state::<Room>().clone();
        cx.morph("#messages", list(&room));
        Ok(())
    }

    async fn say(&self, cx: &mut Reflex) -> Result {
        let params = cx.params().await?;
        let cut = |field: &str, max: usize| -> String {
            let text = params.get(field).unwrap_or_default().trim();
            text.chars().take(max).collect()
        };
        let (name, text) = (cut("name", NAME_CHARS_MAX), cut("text", TEXT_CHARS_MAX));
        cx.morph_nothing();
        if text.is_empty() {
            return Ok(());
        }
        cx.session().set("name", &name).await?;
        let name = if name.is_empty() {
            "Somebody".to_owned()
        } else {
            name
        };
        let (message, forgotten) = cx.state::<Room>().say(name, text);

        let mut everybody = cx.cable_ready_to(STREAM);
        everybody.append("#messages", item(&message));
        everybody
            .scroll_into_view(format!("#message-{}", message.id))
            // The list scrolls, the page stays where it is.
            .with(|operation| operation.block("nearest"));
        if let Some(forgotten) = forgotten {
            everybody.remove(format!("#message-{}", forgotten.id));
        }
        everybody.broadcast().await?;
        // What was typed is no attribute: no morph would take it away.
        cx.cable_ready().set_value("#text", "").set_focus("#text");
        Ok(())
    }
}

fn list(room: &Room) -> Markup {
    html! {
        ol #messages data-reflex=(sinew::reflex!("reconnected" => Chat::catch_up)) {
            @for message in room.messages() { (item(&message)) }
        }
    }
}

fn item(message: &Message) -> Markup {
    html! {
        li #{ "message-" (message.id) } { strong { (message.name) } " " span { (message.text) } }
    }
}

pub(crate) async fn page(
    session: Session,
    sinew: SinewHandle,
    Extension(room): Extension<Room>,
    client: ClientTags,
) -> Result<Markup> {
    let name: String = session.get_or_default("name").await?;
    let content = html! {
        (sinew.stream_from(&[STREAM]).attribute("id", "chat-stream"))
        div.messages role="log" aria-label="Messages" tabindex="0" {
            (list(&room))
        }
        form.fields data-reflex=(sinew::reflex!("submit" => Chat::say)) {
            div.field {
                label for="name" { "Your name" }
                input #name name="name" value=(name) maxlength=(NAME_CHARS_MAX) autocomplete="nickname";
            }
            div.field {
                label for="text" { "Message" }
                div.row {
                    input.grow #text name="text" maxlength=(TEXT_CHARS_MAX) autocomplete="off";
                    button.primary { "Say" }
                }
            }
        }
    };
    Ok(layout::page(&client, "/chat", INTRO, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_forgets_the_oldest() {
        let room = Room::default();
        for _ in 0..MESSAGES_MAX {
            assert!(room.say("Ada".into(), "hi".into()).1.is_none());
        }
        let (said, forgotten) = room.say("Ada".into(), "ho".into());
        assert_eq!(
            (said.id, forgotten.map(|message| message.id)),
            (51, Some(1))
        );
        assert_eq!(room.messages().len(), MESSAGES_MAX);
    }
}
