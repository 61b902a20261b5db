//! `sinew doctor` with programs that need nothing but the standard library, or a shell. With an application of ours:
//! `e2e/tests/doctor.test.mjs`.

use std::fs;
use std::process::{Command, Output};

/// Says that it looked, as an application does that is examined.
const PROGRAM: &str = r#"
fn main() {
    let document = match std::env::var("SINEW_DOCTOR").as_deref() {
        Ok("json") => "{\"sinew_doctor\":1,\"exit_code\":2}",
        Ok("1") => "warning: something\n\nsinew doctor: 1 error, 1 warning, 0 notices",
        other => panic!("{other:?}"),
    };
    println!("something of its own");
    println!("{document}");
    std::process::exit(if cfg!(debug_assertions) { 2 } else { 0 });
}
"#;

fn doctor(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sinew"));
    command
        .arg("doctor")
        .args(arguments)
        .output()
        .expect("runs")
}

/// The doctor on what a shell does.
fn of_script(arguments: &[&str], script: &str) -> Output {
    doctor(&[arguments, &["--", "sh", "-c", script]].concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_application_is_built_and_its_report_and_exit_code_are_passed_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("Cargo.toml");
    fs::create_dir(folder.path().join("src")).expect("made");
    fs::write(
        &manifest,
        "[package]\nname = \"app\"\nedition = \"2024\"\n[workspace]\n",
    )
    .expect("written");
    fs::write(folder.path().join("src/main.rs"), PROGRAM).expect("written");
    let doctor = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sinew"));
        command
            .args(["doctor", "--manifest-path"])
            .arg(&manifest)
            .args(arguments)
            .env_remove("CARGO_TARGET_DIR");
        command.output().expect("runs")
    };
    let examined = doctor(&["--json"]);
    assert_eq!(
        text(&examined.stdout),
        "{\"sinew_doctor\":1,\"exit_code\":2}\n"
    );
    assert!(text(&examined.stderr).contains("something of its own"));
    assert_eq!(examined.status.code(), Some(2));

    let examined = doctor(&["--release"]);
    let said = text(&examined.stdout);
    assert!(
        said.ends_with("\n\nsinew doctor: 1 error, 1 warning, 0 notices\n"),
        "{said}"
    );
    assert_eq!(examined.status.code(), Some(0));

    fs::write(folder.path().join("src/main.rs"), "fn main() { 1 }").expect("written");
    let examined = doctor(&[]);
    assert!(text(&examined.stderr).contains("sinew: the application does not compile"));
    assert_eq!(examined.status.code(), Some(3));
}

#[test]
fn exit_codes_of_a_program_that_was_examined_are_passed_on() {
    for code in 0..3 {
        let script = format!("echo 'sinew doctor: 0 errors'; exit {code}");
        assert_eq!(of_script(&[], &script).status.code(), Some(code));
    }
    let odd = of_script(&[], "echo 'sinew doctor: 0 errors'; exit 101");
    assert!(text(&odd.stderr).contains("was examined and did not end well"));
    assert_eq!(odd.status.code(), Some(3));
}

#[test]
fn a_program_that_serves_instead_is_told_at_once_and_ended() {
    for line in [
        "2026-01-02T03:04:05Z  INFO sinew::serve: listening on http://127.0.0.1:3000",
        "WARN sinew::sanity: the environment variable SINEW_DOCTOR is unknown and has no effect: unset it",
    ] {
        let script = format!("echo $$; echo '{line}' >&2; exec tail -f /dev/null");
        let served = of_script(&[], &script);
        let said = text(&served.stderr);
        assert!(said.contains("update the crate `sinew`"), "{said}");
        assert_eq!(served.status.code(), Some(3));
        let process = text(&served.stdout);
        let still = Command::new("kill").args(["-0", process.trim()]).output();
        assert!(!still.expect("kill runs").status.success(), "it still runs");
    }
}

#[test]
fn a_program_that_does_not_come_to_be_examined_is_told() {
    let failed = of_script(&[], "echo no database >&2; exit 1");
    let said = text(&failed.stderr);
    assert!(said.starts_with("no database\n"), "{said}");
    assert!(said.contains("before it was examined"), "{said}");
    assert_eq!(failed.status.code(), Some(3));

    let silent = of_script(&["--timeout", "0"], "exec tail -f /dev/null");
    let said = text(&silent.stderr);
    assert!(said.contains("has said nothing for 0 s"), "{said}");
    assert_eq!(silent.status.code(), Some(3));

    let absent = doctor(&["--", "/nowhere/shop"]);
    let said = text(&absent.stderr);
    assert!(said.contains("/nowhere/shop cannot be run"), "{said}");
    assert_eq!(absent.status.code(), Some(3));
}

#[test]
fn arguments_that_make_no_sense_are_no_finding() {
    let output = doctor(&["--jason"]);
    assert!(text(&output.stderr).contains("--json"));
    assert_eq!(output.status.code(), Some(3));
    let help = doctor(&["--help"]);
    assert!(text(&help.stdout).contains("Examines an application"));
    assert_eq!(help.status.code(), Some(0));
}
