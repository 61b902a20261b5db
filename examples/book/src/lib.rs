//! The examples of the book, `docs/guide`: compiled and run as they stand there.
//!
//! Each chapter is the documentation of one module, so its code blocks are documentation tests.
//! Complete programs are besides taken out by the build script: those of `src/bin` are these
//! programs, for the browser tests.

#![allow(
    dead_code,
    reason = "the modules exist for the documentation they carry"
)]

pub mod findings;
pub mod metrics;
pub mod variables;

macro_rules! chapters {
    ($($name:ident: $file:literal),* $(,)?) => {
        $(
            #[doc = include_str!(concat!(env!("OUT_DIR"), "/", $file))]
            mod $name {}
        )*
    };
}

chapters! {
    counter: "counter.md",
    new: "new.md",
    reflexes: "reflexes.md",
    callbacks: "callbacks.md",
    morphs: "morphs.md",
    pages: "pages.md",
    forms: "forms.md",
    sessions: "sessions.md",
    cache: "cache.md",
    broadcasting: "broadcasting.md",
    jobs: "jobs.md",
    channels: "channels.md",
    operations: "operations.md",
    browser: "browser.md",
    templates: "templates.md",
    todos: "todos.md",
    search: "search.md",
    wire: "wire.md",
    testing: "testing.md",
    errors: "errors.md",
    security: "security.md",
    deployment: "deployment.md",
    operating: "operating.md",
    doctor: "doctor.md",
    configuration: "configuration.md",
    redis: "redis.md",
    postgres: "postgres.md",
    how_it_works: "how-it-works.md",
    ruby: "ruby.md",
    rails_sessions: "rails-sessions.md",
    compatibility: "compatibility.md",
}
