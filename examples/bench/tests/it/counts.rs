//! Every message came to everybody once, everybody came back, and those who stalled were cut off.

use std::fs;

use serde_json::Value;

use crate::{measure, tool};

/// The numbers of each server, by the names of the columns.
#[track_caller]
fn check(results: &[Value], servers: &[&str], expected: &[(&str, f64)]) {
    let names: Vec<_> = results
        .iter()
        .map(|it| it["server"].as_str().unwrap())
        .collect();
    assert_eq!(names, servers);
    for result in results {
        for (name, value) in expected {
            assert_eq!(result["medians"][name], *value, "{name} of {result:#}");
        }
    }
}

const BOTH: [&str; 2] = ["bare loop", "sinew"];

#[test]
fn every_subscriber_has_every_broadcast_once() {
    // Three workers, so that what they count has to be put together.
    let results = measure(
        "fan-out --target bare --target bench --connections 600 --clients-per-worker 200 --broadcasts 6 --rounds 1",
    );
    let expected = [("delivered", 3600.0), ("lost", 0.0), ("duplicates", 0.0)];
    check(&results, &BOTH, &expected);
}

#[test]
fn every_subscriber_on_a_shard_of_its_own_thread_has_every_broadcast_once() {
    let results = measure(
        "fan-out --target bench --server-env SINEW_SHARD_THREADS=3 --connections 300 --broadcasts 6 --rounds 2",
    );
    let expected = [("delivered", 1800.0), ("lost", 0.0), ("duplicates", 0.0)];
    check(&results, &["sinew"], &expected);
}

#[test]
fn every_answer_is_the_right_one() {
    let results =
        measure("echo --target bare --target bench --connections 50 --seconds 0.3 --rounds 1");
    check(&results, &BOTH, &[("unexpected", 0.0)]);
    for result in &results {
        assert!(result["medians"]["per_second"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn clients_that_come_and_go_are_all_served() {
    let results =
        measure("churn --target bare --target bench --in-flight 20 --seconds 0.3 --rounds 1");
    check(&results, &BOTH, &[("failed", 0.0)]);
}

#[test]
fn all_are_back_after_the_server_was_killed() {
    let results = measure(
        "avalanche --target bare --target bench --connections 1000 --clients-per-worker 500 --rounds 1",
    );
    check(&results, &BOTH, &[("back", 1000.0)]);
}

#[test]
fn stalled_subscribers_are_cut_off_and_the_others_lose_nothing() {
    // Together far more than the kernel's queues and the server's own hold for one client.
    let results = measure(
        "slow-reader --target bare --target bench --connections 60 --bytes 131072 --broadcasts 120 --rounds 1",
    );
    let expected = [("stalled", 6.0), ("cut_off", 6.0), ("lost", 0.0)];
    check(&results, &BOTH, &expected);
}

#[test]
fn idle_connections_stay() {
    let results = measure(
        "idle --target bare --target bench --server-env BENCH_PING_SECONDS=0.2 --connections 200 --seconds 0.5 --rounds 1",
    );
    check(&results, &BOTH, &[("ended", 0.0)]);
}

#[test]
fn a_broadcast_comes_to_its_room_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (json, plots) = (folder.path().join("hold.json"), folder.path().join("plots"));
    let output = tool()
        .args("million --connections 250 --room 100 --clients-per-worker 70 --seconds 2".split(' '))
        // The preset's own are for a million.
        .args(["--server-args", "", "--server-env", "SINEW_SHARD_THREADS=2"])
        .arg("--json")
        .arg(&json)
        .arg("--plots")
        .arg(&plots)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let results = crate::results(&json);
    let expected = [("subscribed", 250.0), ("lost", 0.0), ("ended", 0.0)];
    check(&results, &["sinew"], &expected);
    let medians = &results[0]["medians"];
    let broadcasts = medians["broadcasts"].as_f64().unwrap();
    assert!(broadcasts >= 2.0, "{medians}");
    // Two rooms of 100 and one of 50, in turns.
    let rounds = (broadcasts / 3.0).floor();
    let rest = [0.0, 100.0, 200.0][broadcasts as usize % 3];
    assert_eq!(medians["delivered"], 250.0 * rounds + rest);
    let memory = fs::read_to_string(plots.join("cable-hold-server-memory-mib.svg")).unwrap();
    assert!(memory.contains("<polyline"));
}

#[test]
fn a_server_that_runs_already_is_measured_by_its_address() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let mut server = Command::new(env!("CARGO_BIN_EXE_bare-loop"))
        .arg("fan-out")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut port)
        .unwrap();
    let port = port.trim();
    let url = format!("here=ws://127.0.0.1:{port}/cable,ws://localhost:{port}/cable");
    let results = measure(&format!(
        "fan-out --url {url} --connections 40 --broadcasts 2 --rounds 1"
    ));
    server.kill().unwrap();
    server.wait().unwrap();
    check(&results, &["here"], &[("delivered", 80.0), ("lost", 0.0)]);
    assert!(results[0]["medians"]["cpu_us"].as_f64().unwrap() > 0.0);
}
