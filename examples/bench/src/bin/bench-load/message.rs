//! What the load says, and what it takes for an answer.

use memchr::memmem;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// The same bytes to the bare echo.
    Floor,
    /// A channel's action that transmits its data back.
    Echo,
    /// A reflex, by the name of its action.
    Reflex(Reflex),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reflex {
    Nothing,
    Selector,
    Page,
    Session,
}

impl Scenario {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "floor" => Self::Floor,
            "echo" => Self::Echo,
            "nothing" => Self::Reflex(Reflex::Nothing),
            "selector" => Self::Reflex(Reflex::Selector),
            "page" => Self::Reflex(Reflex::Page),
            "session" => Self::Reflex(Reflex::Session),
            _ => return None,
        })
    }

    /// What the connection subscribes to; nothing for the floor.
    pub(crate) fn identifier(self) -> Option<&'static str> {
        match self {
            Self::Floor => None,
            Self::Echo => Some(r#"{"channel":"BenchChannel"}"#),
            Self::Reflex(_) => Some(r#"{"channel":"StimulusReflex::Channel"}"#),
        }
    }

    /// The message, with a place for the id that tells one from another.
    pub(crate) fn message(self) -> Message {
        match self {
            Self::Floor | Self::Reflex(Reflex::Nothing) => call("nothing"),
            Self::Reflex(Reflex::Selector) => call("selector"),
            Self::Reflex(Reflex::Page) => call("page"),
            Self::Reflex(Reflex::Session) => call("session"),
            Self::Echo => echo(call("nothing").text.len()),
        }
    }

    /// Whether `text` is the right answer to the message with this id.
    pub(crate) fn accepts(self, text: &str, message: &Message, id: &[u8]) -> bool {
        let text = text.as_bytes();
        let holds = |needle: &[u8]| memmem::find(text, needle).is_some();
        let is_ours = holds(id);
        is_ours
            && match self {
                Self::Floor => false,
                Self::Echo => {
                    text.len() > message.data_bytes && holds(br#""message":{"action":"echo""#)
                }
                Self::Reflex(Reflex::Nothing | Reflex::Session) => {
                    holds(br#""stimulus-reflex:morph-nothing""#)
                        && holds(br#""operation":"dispatchEvent""#)
                }
                Self::Reflex(Reflex::Selector) => {
                    holds(br##""selector":"#row-1""##) && holds(br#""operation":"morph""#)
                }
                Self::Reflex(Reflex::Page) => {
                    text.len() > 9_000
                        && holds(br##""selector":"#bench""##)
                        && holds(br#""operation":"morph""#)
                }
            }
    }
}

/// A command as a browser sends it.
pub(crate) struct Message {
    pub(crate) text: Vec<u8>,
    id_at: usize,
    /// Of the data alone, unescaped.
    data_bytes: usize,
}

/// Characters of a UUID.
pub(crate) const ID_BYTES: usize = 36;
/// Stands where the id goes.
const ID_PLACE: &str = "00000000-0000-4000-8000-000000000000";

impl Message {
    fn new(identifier: &str, data: &str) -> Self {
        let string = |text: &str| serde_json::Value::from(text).to_string();
        let (identifier, escaped) = (string(identifier), string(data));
        let text = format!(r#"{{"command":"message","identifier":{identifier},"data":{escaped}}}"#);
        let id_at = text
            .find(ID_PLACE)
            .expect("every message has a place for its id");
        Self {
            text: text.into_bytes(),
            id_at,
            data_bytes: data.len(),
        }
    }

    /// Writes the id of the next message into its place.
    pub(crate) fn set_id(&mut self, connection: usize, number: u64) -> [u8; ID_BYTES] {
        let id = format!(
            "{connection:08x}-0000-4000-8000-{:012x}",
            number & 0xffff_ffff_ffff
        );
        let id: [u8; ID_BYTES] = id.as_bytes().try_into().expect("a UUID has 36 characters");
        self.text[self.id_at..self.id_at + ID_BYTES].copy_from_slice(&id);
        id
    }
}

/// A reflex call with everything the stock client puts into it.
fn call(action: &str) -> Message {
    let reflex = format!("click->Bench#{action}");
    let data = format!(
        concat!(
            r##"{{"attrs":{{"class":"button button-primary","data-reflex":"{0}","data-row-id":"1","data-count":"3","##,
            r##""data-reflex-root":"#bench","data-controller":"stimulus-reflex","##,
            r##""data-action":"click->stimulus-reflex#__perform","type":"button","aria-label":"Change row number 1","##,
            r##""checked":false,"selected":false,"tag_name":"BUTTON","value":""}},"##,
            r##""dataset":{{"dataset":{{"data-reflex":"{0}","data-row-id":"1","data-count":"3","data-reflex-root":"#bench","##,
            r##""data-controller":"stimulus-reflex","data-action":"click->stimulus-reflex#__perform"}},"datasetAll":{{}}}},"##,
            r##""selectors":["#bench"],"id":"{2}","resolveLate":false,"suppressLogging":false,"##,
            r##""xpathController":"/html[1]/body[1]/main[1]/ul[1]/li[2]/button[1]","##,
            r##""xpathElement":"/html[1]/body[1]/main[1]/ul[1]/li[2]/button[1]","inner_html":"","text_content":"","##,
            r##""reflexController":"stimulus-reflex","permanentAttributeName":"data-reflex-permanent","##,
            r##""target":"Bench#{1}","args":[],"url":"http://127.0.0.1/bench?filter=open","##,
            r##""tabId":"e44d0d5a-27b3-481b-a70e-9bdb9f084163","version":"3.5.5","##,
            r##""formData":"row%5Btitle%5D=Row+number+1&row%5Bdone%5D=0&commit=Save"}}"##,
        ),
        reflex, action, ID_PLACE
    );
    Message::new(r#"{"channel":"StimulusReflex::Channel"}"#, &data)
}

/// An echo of exactly as many bytes.
fn echo(bytes: usize) -> Message {
    let with_padding = |padding: usize| {
        let padding = "x".repeat(padding);
        let data = format!(r#"{{"action":"echo","id":"{ID_PLACE}","padding":"{padding}"}}"#);
        Message::new(r#"{"channel":"BenchChannel"}"#, &data)
    };
    with_padding(bytes - with_padding(0).text.len())
}
