//! A long job beside the reflex that started it, with a progress bar.
//!
//! The job reports to a stream of its session, so a reload, and a second tab, see it go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use maud::{Markup, html};
use sinew::cable::StreamName;
use sinew::cable_ready::Operations;
use sinew::prelude::*;

use crate::layout;

const INTRO: &str = "The click is answered at once; the work goes on in a task and reports as it gets along. Reload, it does not mind.";

/// How long a job takes: so many steps, each so long.
const STEPS: u32 = 20;
const STEP: Duration = Duration::from_millis(150);
/// Jobs at one time, of all visitors. Over it a visitor is asked to come again.
const JOBS_MAX: usize = 100;

/// The name of the stream, among those of the session.
const STREAM: &str = "job";

/// The jobs that run, by the stream they report to, with the steps they have done.
#[derive(Clone, Default)]
pub(crate) struct Jobs(Arc<Mutex<HashMap<StreamName, u32>>>);

impl Jobs {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<StreamName, u32>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self, stream: &StreamName) -> State {
        self.with(|jobs| {
            jobs.get(stream)
                .map_or(State::Idle, |done| State::Running(*done))
        })
    }

    /// Whether a new job may begin.
    fn begin(&self, stream: &StreamName) -> bool {
        self.with(|jobs| {
            let may = jobs.len() < JOBS_MAX && !jobs.contains_key(stream);
            if may {
                jobs.insert(stream.clone(), 0);
            }
            may
        })
    }

    /// One step more; what the job is then.
    fn advance(&self, stream: &StreamName) -> State {
        self.with(|jobs| match jobs.get_mut(stream) {
            None => State::Stopped,
            Some(done) if *done + 1 >= STEPS => {
                jobs.remove(stream);
                State::Finished
            }
            Some(done) => {
                *done += 1;
                State::Running(*done)
            }
        })
    }

    fn stop(&self, stream: &StreamName) {
        self.with(|jobs| jobs.remove(stream));
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Idle,
    Refused,
    Running(u32),
    Stopped,
    Finished,
}

/// The reflexes of this page.
pub(crate) struct Job;

#[reflex]
impl Job {
    async fn start(&self, cx: &mut Reflex) -> Result {
        let stream = cx.session_stream(STREAM);
        let jobs = cx.state::<Jobs>().clone();
        if jobs.begin(&stream) {
            let cable_ready = cx.broadcaster().clone();
            let (work, stream) = (jobs.clone(), stream.clone());
            cx.spawn(async move {
                // The other tabs of this visitor want to know that it has begun.
                let mut state = State::Running(0);
                while let State::Running(_) = state {
                    let sent = cable_ready
                        .send(&stream, |operations| report(operations, state))
                        .await;
                    if sent.is_err() {
                        work.stop(&stream);
                    }
                    // Here something would be worked at.
                    tokio::time::sleep(STEP).await;
                    state = work.advance(&stream);
                }
                cable_ready
                    .send(&stream, |operations| report(operations, state))
                    .await
            });
        }
        let state = match jobs.now(&stream) {
            State::Idle => State::Refused,
            state => state,
        };
        cx.morph("#job", panel(state));
        Ok(())
    }

    /// The job notices at its next step, and says so itself.
    async fn stop(&self, cx: &mut Reflex) -> Result {
        let stream = cx.session_stream(STREAM);
        cx.state::<Jobs>().stop(&stream);
        cx.morph_nothing();
        Ok(())
    }

    /// What was reported while the connection was lost did not arrive: the page is rendered again.
    async fn catch_up(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

/// While it goes on, only the bar and its number change: the buttons stay what they are.
fn report(operations: &mut Operations, state: State) -> &mut Operations {
    match state {
        State::Running(done) if done > 0 => operations
            .set_attribute("#progress", "value", done.to_string())
            .text_content("#percent", percent(done)),
        begun_or_ended => operations.morph("#job", panel(begun_or_ended)),
    }
}

fn percent(done: u32) -> String {
    format!("{} %", done * 100 / STEPS)
}

fn panel(state: State) -> Markup {
    let done = match state {
        State::Running(done) => done,
        State::Finished => STEPS,
        State::Idle | State::Refused | State::Stopped => 0,
    };
    let is_running = matches!(state, State::Running(_));
    html! {
        div #job data-reflex=(sinew::reflex!("reconnected" => Job::catch_up)) {
            label for="progress" { "Progress" }
            div.row {
                progress.grow #progress max=(STEPS) value=(done) { (done) " of " (STEPS) }
                span #percent { (percent(done)) }
            }
            p #state role="status" {
                @match state {
                    State::Idle => "Nothing to do.",
                    State::Refused => "Too many jobs at once. Come again.",
                    State::Running(_) => "Working …",
                    State::Stopped => "Stopped.",
                    State::Finished => "Done.",
                }
            }
            div.actions {
                // Not `disabled`: that would throw away the focus of whoever pressed it.
                button.primary #start type="button" aria-disabled=[is_running.then_some("true")]
                    data-reflex=(sinew::reflex!("click" => Job::start)) { "Start" }
                button #stop type="button" aria-disabled=[(!is_running).then_some("true")]
                    data-reflex=(sinew::reflex!("click" => Job::stop)) { "Stop" }
            }
        }
    }
}

pub(crate) async fn page(
    session: Session,
    sinew: SinewHandle,
    Extension(jobs): Extension<Jobs>,
    client: ClientTags,
) -> Result<Markup> {
    let stream = sinew.session_stream(&session, STREAM).await?;
    let content = html! {
        (sinew.stream_from(&[stream.as_str()]).attribute("id", "job-stream"))
        (panel(jobs.now(&stream)))
    };
    Ok(layout::page(&client, "/job", INTRO, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_one_job_that_ends() {
        let (jobs, stream) = (Jobs::default(), StreamName::from("mine"));
        assert!(jobs.begin(&stream));
        assert!(!jobs.begin(&stream));
        for step in 1..STEPS {
            assert_eq!(jobs.advance(&stream), State::Running(step));
        }
        assert_eq!(jobs.advance(&stream), State::Finished);
        assert_eq!(jobs.now(&stream), State::Idle);
    }

    #[test]
    fn there_are_not_too_many_jobs_at_once() {
        let jobs = Jobs::default();
        for number in 0..JOBS_MAX {
            assert!(jobs.begin(&number.to_string().into()));
        }
        assert!(!jobs.begin(&"one more".into()));
    }
}
