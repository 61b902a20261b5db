//! A long job beside the reflex that started it, with a progress bar.
//!
//! The job reports to a signed stream of its visitor, so a reload, and a second tab, see it go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Extension;
use maud::{Markup, html};
use sinew::cable_ready::Operations;
use sinew::prelude::*;

use crate::layout;

const INTRO: &str = "The click is answered at once; the work goes on in a task and reports as it gets along. Reload, it does not mind.";

/// How long a job takes: so many steps, each so long.
const STEPS: u32 = 20;
const STEP: Duration = Duration::from_millis(150);
/// Jobs at one time, of all visitors. Over it a visitor is asked to come again.
const JOBS_MAX: usize = 100;

/// The jobs that run, by the number of their visitor, with the steps they have done.
#[derive(Clone, Default)]
pub(crate) struct Jobs(Arc<Mutex<HashMap<u64, u32>>>);

impl Jobs {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<u64, u32>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self, visitor: u64) -> State {
        self.with(|jobs| {
            jobs.get(&visitor)
                .map_or(State::Idle, |done| State::Running(*done))
        })
    }

    /// Whether a new job may begin.
    fn begin(&self, visitor: u64) -> bool {
        self.with(|jobs| {
            let may = jobs.len() < JOBS_MAX && !jobs.contains_key(&visitor);
            if may {
                jobs.insert(visitor, 0);
            }
            may
        })
    }

    /// One step more; what the job is then.
    fn advance(&self, visitor: u64) -> State {
        self.with(|jobs| match jobs.get_mut(&visitor) {
            None => State::Stopped,
            Some(done) if *done + 1 >= STEPS => {
                jobs.remove(&visitor);
                State::Finished
            }
            Some(done) => {
                *done += 1;
                State::Running(*done)
            }
        })
    }

    fn stop(&self, visitor: u64) {
        self.with(|jobs| jobs.remove(&visitor));
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
        let visitor = visitor(cx.session()).await?;
        let jobs = cx.state::<Jobs>().clone();
        if jobs.begin(visitor) {
            let cable_ready = cx.broadcaster().clone();
            let work = jobs.clone();
            cx.spawn(async move {
                loop {
                    // Here something would be worked at.
                    tokio::time::sleep(STEP).await;
                    let state = work.advance(visitor);
                    let sent = cable_ready
                        .send(stream(visitor), |operations| report(operations, state))
                        .await;
                    if sent.is_err() {
                        work.stop(visitor);
                    }
                    if !matches!(state, State::Running(_)) {
                        break;
                    }
                }
            });
        }
        let state = match jobs.now(visitor) {
            State::Idle => State::Refused,
            state => state,
        };
        cx.morph("#job", panel(state));
        Ok(())
    }

    /// The job notices at its next step, and says so itself.
    async fn stop(&self, cx: &mut Reflex) -> Result {
        let visitor = visitor(cx.session()).await?;
        cx.state::<Jobs>().stop(visitor);
        cx.morph_nothing();
        Ok(())
    }
}

/// While it goes on, only the bar and its number change: the buttons stay what they are.
fn report(operations: &mut Operations, state: State) -> &mut Operations {
    match state {
        State::Running(done) => operations
            .set_attribute("#progress", "value", done.to_string())
            .text_content("#percent", percent(done)),
        ended => operations.morph("#job", panel(ended).into_string()),
    }
}

fn percent(done: u32) -> String {
    format!("{} %", done * 100 / STEPS)
}

fn stream(visitor: u64) -> String {
    format!("job:{visitor}")
}

/// A number for the visitor that says nothing about the session.
async fn visitor(session: &Session) -> Result<u64> {
    if let Some(visitor) = session.get("visitor").await? {
        return Ok(visitor);
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let visitor = u64::try_from(since.as_nanos())?;
    session.set("visitor", &visitor).await?;
    Ok(visitor)
}

fn panel(state: State) -> Markup {
    let done = match state {
        State::Running(done) => done,
        State::Finished => STEPS,
        State::Idle | State::Refused | State::Stopped => 0,
    };
    let is_running = matches!(state, State::Running(_));
    html! {
        div #job {
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
    let visitor = visitor(&session).await?;
    let content = html! {
        (sinew.stream_from(&[&stream(visitor)]).attribute("id", "job-stream"))
        (panel(jobs.now(visitor)))
    };
    Ok(layout::page(&client, "/job", INTRO, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_has_one_job_that_ends() {
        let jobs = Jobs::default();
        assert!(jobs.begin(1));
        assert!(!jobs.begin(1));
        for step in 1..STEPS {
            assert_eq!(jobs.advance(1), State::Running(step));
        }
        assert_eq!(jobs.advance(1), State::Finished);
        assert_eq!(jobs.now(1), State::Idle);
    }

    #[test]
    fn a_stopped_job_notices() {
        let jobs = Jobs::default();
        jobs.begin(1);
        jobs.stop(1);
        assert_eq!(jobs.advance(1), State::Stopped);
    }
}
