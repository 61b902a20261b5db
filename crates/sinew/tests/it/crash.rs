//! The process is killed as soon as a click was answered. What was answered is found.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use axum::serve;
use serde_json::json;
use sinew::Secret;
use tokio::net::TcpListener;

use crate::application::counter;
use crate::browser::Browser;
use crate::server::config;

const DIRECTORY: &str = "SINEW_TEST_CRASH_DIRECTORY";
const KILLS: usize = 3;

/// Not a test of its own: what the test below starts, and kills.
#[tokio::test]
async fn child_that_serves() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let mut config = config();
    config.edge.data_directory = directory.into();
    config.edge.configured_secret = Some(Secret::new("0123456789".repeat(4)).expect("a secret"));
    let app = counter().config(config).build().expect("builds");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
    let address = listener.local_addr().expect("bound");
    // The harness leaves its own text on the line that is open.
    let line = format!("\nlistening {address}\n");
    std::io::stdout()
        .write_all(line.as_bytes())
        .expect("writes");
    serve(listener, app.router().clone())
        .await
        .expect("serves until it is killed");
}

/// Ends with the test, however that ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(directory: &std::path::Path) -> (Process, SocketAddr) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "crash::child_that_serves", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let process = Process(child);
    for line in lines {
        let line = line.expect("text");
        if let Some(address) = line.strip_prefix("listening ") {
            return (process, address.parse().expect("an address"));
        }
    }
    panic!("the child ended before it listened");
}

#[tokio::test]
async fn answered_click_survives_a_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut cookie = None;
    for kills in 0..=KILLS {
        let (process, address) = start(directory.path());
        let mut browser = Browser::at(address);
        browser.cookie = cookie;
        assert_eq!(browser.get("/count").await.body, kills.to_string());
        browser.get("/").await;
        let mut tab = browser.tab("/").await;
        let reply = tab.perform("Counter#increment", json!([])).await;
        // `kill` is SIGKILL.
        drop(process);
        assert_eq!(reply.html(), format!("<p id=\"count\">{}</p>", kills + 1));
        cookie = browser.cookie;
    }
}
