//! A form that the server checks: errors beside the fields, what was typed stays.

use axum::Extension;
use maud::{Markup, html};
use serde::Deserialize;
use sinew::prelude::*;

use crate::layout;

const INTRO: &str = "Nothing is checked in the browser: the rules are a function in Rust, and your words stay where you typed them.";

/// Longest text in a field, in characters.
const TEXT_CHARS_MAX: usize = 80;

/// What the form holds, as it was typed.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Signup {
    name: String,
    email: String,
    seats: String,
    terms: String,
}

/// A field's name and what is wrong with it.
type Problem = (&'static str, &'static str);

impl Signup {
    fn problems(&self) -> Vec<Problem> {
        let is_address = self
            .email
            .trim()
            .split_once('@')
            .is_some_and(|(name, host)| {
                !name.is_empty()
                    && host.contains('.')
                    && !host.starts_with('.')
                    && !host.ends_with('.')
            });
        let seats: Option<u8> = self.seats.trim().parse().ok();
        let is_long = |text: &str| text.chars().count() > TEXT_CHARS_MAX;
        [
            ("name", self.name.trim().is_empty(), "Tell us your name."),
            (
                "name",
                is_long(&self.name),
                "That is longer than 80 characters.",
            ),
            (
                "email",
                !is_address || is_long(&self.email),
                "An address looks like ada@example.org.",
            ),
            (
                "seats",
                !matches!(seats, Some(1..=6)),
                "Between one and six seats.",
            ),
            ("terms", self.terms != "yes", "It will not work without."),
        ]
        .into_iter()
        .filter(|(_, is_wrong, _)| *is_wrong)
        .map(|(field, _, text)| (field, text))
        .collect()
    }
}

/// What a submission has come to, handed from the reflex to the page it morphs.
#[derive(Clone)]
pub(crate) enum Outcome {
    Refused(Signup, Vec<Problem>),
    Booked(Signup),
}

/// The reflex of this page.
pub(crate) struct Form;

#[reflex]
impl Form {
    async fn submit(&self, cx: &mut Reflex) -> Result {
        let signup: Signup = cx.params().await?.parse_at("signup")?;
        let problems = signup.problems();
        if let Some((first, _)) = problems.first() {
            cx.cable_ready().set_focus(format!("#{first}"));
            cx.assign(Outcome::Refused(signup, problems));
        } else {
            cx.cable_ready().set_focus("#booked");
            cx.assign(Outcome::Booked(signup));
        }
        Ok(())
    }
}

pub(crate) async fn page(outcome: Option<Extension<Outcome>>, client: ClientTags) -> Markup {
    let (signup, problems) = match outcome {
        Some(Extension(Outcome::Booked(signup))) => {
            let content = html! {
                div.notice #booked tabindex="-1" role="status" {
                    p { strong { "Thank you, " (signup.name.trim()) "." } }
                    p { (signup.seats.trim()) " of the seats are yours; the tickets would go to " (signup.email.trim()) "." }
                }
                p { a href=(client.path("/form")) { "Book again" } }
            };
            return layout::page(&client, "/form", INTRO, content);
        }
        Some(Extension(Outcome::Refused(signup, problems))) => (signup, problems),
        None => Default::default(),
    };
    let field = |name: &str, label: &str, kind: &str, value: &str, autocomplete: &str| {
        let problem = problem(&problems, name);
        html! {
            div.field {
                label for=(name) { (label) }
                input id=(name) name={ "signup[" (name) "]" } type=(kind) value=(value) autocomplete=(autocomplete)
                    aria-invalid=[problem.map(|_| "true")]
                    aria-describedby=[problem.map(|_| format!("{name}-problem"))];
                (problem_text(name, problem))
            }
        }
    };
    let terms = problem(&problems, "terms");
    let content = html! {
        form.fields novalidate data-reflex=(sinew::reflex!("submit" => Form::submit)) {
            (field("name", "Name", "text", &signup.name, "name"))
            (field("email", "E-mail", "email", &signup.email, "email"))
            (field("seats", "Seats", "number", &signup.seats, "off"))
            div.field {
                label.check for="terms" {
                    input #terms type="checkbox" name="signup[terms]" value="yes" checked[signup.terms == "yes"]
                        aria-invalid=[terms.map(|_| "true")]
                        aria-describedby=[terms.map(|_| "terms-problem")];
                    "I will be on time"
                }
                (problem_text("terms", terms))
            }
            div { button.primary { "Book" } }
        }
    };
    layout::page(&client, "/form", INTRO, content)
}

fn problem(problems: &[Problem], name: &str) -> Option<&'static str> {
    let mut problems = problems.iter();
    problems
        .find(|(field, _)| *field == name)
        .map(|(_, text)| *text)
}

fn problem_text(name: &str, problem: Option<&str>) -> Markup {
    html! { @if let Some(text) = problem { p.problem #{ (name) "-problem" } { (text) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_rule() {
        let fields = |signup: &Signup| {
            signup
                .problems()
                .iter()
                .map(|(field, _)| *field)
                .collect::<Vec<_>>()
        };
        let mut signup = Signup::default();
        assert_eq!(fields(&signup), ["name", "email", "seats", "terms"]);
        signup.name = "Ada".into();
        signup.email = "ada@example.org".into();
        signup.seats = "7".into();
        assert_eq!(fields(&signup), ["seats", "terms"]);
        signup.seats = " 2".into();
        signup.terms = "yes".into();
        assert!(signup.problems().is_empty());
    }
}
