//! Sessions and the cache in every store, with two tasks for a moment: every store answers, and what is computed once
//! is computed once.

use std::process::{Command, Stdio};

use serde_json::Value;

#[test]
fn every_store_is_measured_in_every_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results.json");
    let output = Command::new(env!("CARGO_BIN_EXE_store-load"))
        .args([
            "--tasks",
            "4",
            "--rounds",
            "1",
            "--seconds",
            "0.1",
            "--json",
        ])
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");

    let report: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let stores = |what: &str| -> Vec<&str> {
        let of = rows.iter().filter(|row| row["what"] == what);
        of.map(|row| row["store"].as_str().unwrap()).collect()
    };
    assert_eq!(stores("SET"), ["redis-benchmark"]);
    assert_eq!(stores("GET"), ["redis-benchmark"]);
    assert_eq!(
        stores("session"),
        ["memory", "embedded", "Redis", "PostgreSQL", "cookie"]
    );
    let caches = [
        "memory",
        "embedded",
        "Redis",
        "memory before Redis",
        "PostgreSQL",
    ];
    for what in ["cache hit", "cache miss", "cache herd"] {
        assert_eq!(stores(what), caches, "{what}");
    }
    for row in rows {
        let round = &row["rounds"][0];
        assert!(round["per_second"].as_f64().unwrap() > 0.0, "{row}");
        // The computations of one process: those who come too late for one find what it has made.
        if row["what"] == "cache herd" {
            assert_eq!(round["computed"], 1.0, "{row}");
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_store-load"))
        .args(["--tasks", "none"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--tasks needs numbers"), "{said}");
}
