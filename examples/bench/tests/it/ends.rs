//! How the tool ends: with what to do about it, and with nothing left behind.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::{refusal, tool};

#[test]
fn a_server_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut command = tool();
    command.args(["fan-out", "--url", &format!("tls=wss://{free}/cable")]);
    assert!(refusal(command).contains("only ws:// is spoken"));
}

#[test]
fn a_port_in_use_is_said_to_be() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bare-loop"));
    let address = taken.local_addr().unwrap().to_string();
    command.args(["echo", "--listen", &address]);
    let said = refusal(command);
    assert!(said.contains("end what listens there"), "{said}");
}

#[test]
fn a_descriptor_limit_is_said_to_be_one() {
    let line = format!(
        "ulimit -n 200 && exec {} fan-out --target bare --connections 400",
        env!("CARGO_BIN_EXE_cable-load")
    );
    let mut command = Command::new("sh");
    command.args(["-c", &line]).stdin(Stdio::null());
    let said = refusal(command);
    assert!(said.contains("--clients-per-worker"), "{said}");
}

#[test]
fn nothing_is_left_when_it_is_told_to_end() {
    let mut conductor = tool()
        .args(["hold", "--target", "bare", "--target", "bench"])
        .args(["--connections", "50", "--seconds", "600"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(conductor.stderr.take().unwrap()).lines();
    let begun = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|it| it.contains("subscribed"));
    assert!(begun.is_some());
    let children = children(conductor.id());
    assert_eq!(children.len(), 2, "a server and a worker");
    let id = Pid::from_raw(conductor.id().cast_signed()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    assert_eq!(conductor.wait().unwrap().code(), Some(130));
    for child in children {
        while is_running(child) {
            thread::yield_now();
        }
    }
}

fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let children = threads.map(|it| fs::read_to_string(it.unwrap().path().join("children")));
    let children: String = children.map(|it| it.unwrap_or_default()).collect();
    children
        .split_whitespace()
        .map(|it| it.parse().unwrap())
        .collect()
}

/// One that has ended may still wait for whoever inherits it to notice.
fn is_running(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status
        .rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
