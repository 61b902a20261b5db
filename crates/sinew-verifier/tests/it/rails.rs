//! `spec/rails/application.rb` as a process of a test's own, asked over its standard input.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

/// A Rails application and one browser's session cookie for it.
pub(crate) struct Rails {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The value of the session cookie, as a browser keeps it.
    pub(crate) cookie: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    set_cookie: Option<String>,
}

impl Rails {
    pub(crate) const SECRET: &str = "not-a-secret-not-a-secret-not-a-secret-not-a-secret";
    pub(crate) const COOKIE: &str = "_app_session";

    /// Starts the application with these variables; see the head of its file.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../spec/rails/application.rb"
        );
        let mut process = Command::new("ruby")
            .arg(file)
            .env("SECRET_KEY_BASE", Self::SECRET)
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("ruby runs (Debian: ruby-railties, ruby-actionpack)");
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let mut rails = Self {
            process,
            input,
            output,
            cookie: None,
        };
        let hello: Value = rails.read();
        assert!(hello["rails"].is_string(), "{hello}");
        rails
    }

    /// One request of the browser, whose cookie follows what the answer sets.
    pub(crate) fn ask(&mut self, method: &str, path: &str, params: Value) -> Answer {
        let cookie = self.cookie.as_ref();
        let cookie = cookie.map(|value| format!("{}={value}", Self::COOKIE));
        let request = json!({"method": method, "path": path, "params": params, "cookie": cookie});
        writeln!(self.input, "{request}").expect("the application reads");
        let answer: Answer = self.read();
        if let Some(header) = &answer.set_cookie {
            let pair = header.split(';').next().expect("a first part");
            let (name, value) = pair.split_once('=').expect("name and value");
            assert_eq!(name, Self::COOKIE);
            self.cookie = Some(value.to_owned());
        }
        answer
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, Value::Null)
    }

    /// What the application finds in the session.
    pub(crate) fn fields(&mut self) -> Value {
        let answer = self.get("/fields");
        assert_eq!(answer.status, 200);
        serde_json::from_str(&answer.body).expect("the fields are JSON")
    }

    fn read<T: for<'de> Deserialize<'de>>(&mut self) -> T {
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .expect("the application answers");
        serde_json::from_str(&line).expect("one answer a line")
    }
}

impl Drop for Rails {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
