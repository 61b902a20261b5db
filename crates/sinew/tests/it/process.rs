//! A process of its own: killed as soon as a click was answered, or told to stop.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use sinew::config::Secret;

use crate::application::counter;
use crate::browser::Browser;
use crate::server::config;

/// Where the child keeps its data; without it the child's test does nothing.
const DIRECTORY: &str = "SINEW_TEST_PROCESS_DIRECTORY";
const KILLS: usize = 3;

/// Not a test of its own: what the tests below start.
#[tokio::test]
async fn child_that_serves() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let mut config = config();
    config.edge.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.edge.data_directory = directory.into();
    config.edge.configured_secret = Some(Secret::new("0123456789".repeat(4)).expect("a secret"));
    let served = counter().config(config).serve().await;
    served.expect("serves until it is told to stop");
}

/// Ends with the test, however that ends.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a child and reads from its log where it listens.
pub(crate) fn start(directory: &Path) -> (Process, SocketAddr) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "process::child_that_serves", "--nocapture"])
        .env(DIRECTORY, directory)
        .env("RUST_LOG", "info")
        .env("NO_COLOR", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let process = Process(child);
    let address = lines.find_map(|line| {
        let line = line.expect("text");
        let (_, address) = line.split_once("listening on http://")?;
        Some(address.parse().expect("an address"))
    });
    // What it logs later is read too, or it would stop at a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (process, address.expect("the child listens"))
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

#[tokio::test]
async fn process_that_is_told_to_stop_says_goodbye() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut process, address) = start(directory.path());
    let mut browser = Browser::at(address);
    browser.get("/").await;
    let mut tab = browser.tab("/").await;
    tab.perform("Counter#increment", json!([])).await;

    let told = Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", process.0.id())])
        .status();
    assert!(told.expect("a shell").success());
    tab.cable.expect_disconnect("server_restart", true).await;
    tab.cable.expect_close(1001).await;
    let ended = tokio::task::spawn_blocking(move || process.0.wait());
    let status = ended.await.expect("no panic").expect("ends");
    assert!(status.success(), "{status}");

    // The next process finds everything, and the browser is who it was.
    let (_process, address) = start(directory.path());
    let mut next = Browser::at(address);
    next.cookie = browser.cookie;
    assert_eq!(next.get("/count").await.body, "1");
    next.tab("/").await;
}
