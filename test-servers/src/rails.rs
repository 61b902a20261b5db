//! A Rails application, asked over its standard input.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// The application of `spec/rails/application.rb`, and one browser with its session cookie.
///
/// It ends when its standard input is closed, and so with the process of the tests.
#[derive(Debug)]
pub struct Rails {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The value of the session cookie, as the browser keeps it.
    pub cookie: Option<String>,
}

/// What the application answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RailsAnswer {
    /// The status of HTTP.
    pub status: u64,
    /// The text.
    pub body: String,
}

impl Rails {
    /// Its `secret_key_base`.
    pub const SECRET: &str = "not-a-secret-not-a-secret-not-a-secret-not-a-secret";
    /// The name of its session cookie.
    pub const COOKIE: &str = "_app_session";

    /// Starts the application with these variables, which the head of its file lists.
    ///
    /// # Panics
    ///
    /// Ruby or Rails is not installed; the message names Debian's packages.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/rails/application.rb");
        let mut process = Command::new("ruby")
            .arg(file)
            .env("SECRET_KEY_BASE", Self::SECRET)
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect(INSTALL);
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let mut rails = Self {
            process,
            input,
            output,
            cookie: None,
        };
        let hello = rails.read();
        assert!(hello["rails"].is_string(), "{hello}");
        rails
    }

    /// One request of the browser, whose cookie follows what the answer sets.
    ///
    /// # Panics
    ///
    /// The application has ended.
    pub fn ask(&mut self, method: &str, path: &str, params: Value) -> RailsAnswer {
        let cookie = self.cookie.as_ref();
        let cookie = cookie.map(|value| format!("{}={value}", Self::COOKIE));
        let request = json!({"method": method, "path": path, "params": params, "cookie": cookie});
        writeln!(self.input, "{request}").expect("the application reads");
        let answer = self.read();
        if let Some(header) = answer["set_cookie"].as_str() {
            let pair = header.split(';').next().expect("a first part");
            let (name, value) = pair.split_once('=').expect("name and value");
            assert_eq!(name, Self::COOKIE);
            self.cookie = Some(value.to_owned());
        }
        RailsAnswer {
            status: answer["status"].as_u64().expect("a status"),
            body: answer["body"].as_str().expect("a text").to_owned(),
        }
    }

    /// A GET without parameters beside those of the path.
    ///
    /// # Panics
    ///
    /// As [`ask`](Self::ask).
    pub fn get(&mut self, path: &str) -> RailsAnswer {
        self.ask("GET", path, Value::Null)
    }

    /// What the application finds in the session.
    ///
    /// # Panics
    ///
    /// As [`ask`](Self::ask).
    pub fn fields(&mut self) -> Value {
        let answer = self.get("/fields");
        assert_eq!(answer.status, 200);
        serde_json::from_str(&answer.body).expect("the fields are JSON")
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a pipe");
        assert!(!line.is_empty(), "the application has ended: {INSTALL}");
        serde_json::from_str(&line).expect("one answer a line")
    }
}

const INSTALL: &str =
    "apt-get install --no-install-recommends ruby-railties ruby-actionpack ruby-redis";

impl Drop for Rails {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
