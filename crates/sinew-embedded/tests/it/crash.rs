//! A process is killed in the middle of its work. What it had acknowledged is found.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use sinew_embedded::EmbeddedStore;
use sinew_store::{SessionId, Sessions};

const DIRECTORY: &str = "SINEW_TEST_CRASH_DIRECTORY";
const WRITERS: usize = 8;
const ROUNDS: usize = 5;

fn id(writer: usize) -> SessionId {
    format!("{writer:032x}").parse().unwrap()
}

/// Not a test of its own: what the test below starts, and kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_acknowledges() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let sessions = Sessions::new(Arc::new(EmbeddedStore::open(directory).unwrap()));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let sessions = sessions.clone();
        tasks.spawn(async move {
            loop {
                let session = sessions.open(id(writer));
                let update = session.update("count", |count: u64| count + 1);
                let count = update.await.unwrap();
                session.set("same", &count).await.unwrap();
                session.commit().await.unwrap();
                // The harness leaves its own text on the line that is open.
                let line = format!("\nacknowledged {writer} {count}\n");
                std::io::stdout().write_all(line.as_bytes()).unwrap();
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test]
async fn a_kill_after_the_answer_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = [0; WRITERS];
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child_that_acknowledges", "--nocapture"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        for line in lines {
            let line = line.unwrap();
            let Some(counts) = line.strip_prefix("acknowledged ") else {
                continue;
            };
            let Some((writer, count)) = counts.split_once(' ') else {
                continue; // cut off by the kill
            };
            if let (Ok(writer), Ok(count)) = (writer.parse::<usize>(), count.parse::<u64>()) {
                // A line that the kill has cut in two names a smaller count.
                acknowledged[writer] = acknowledged[writer].max(count);
            }
            seen += 1;
            if seen == 100 + round * 37 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();

        let sessions = Sessions::new(Arc::new(EmbeddedStore::open(directory.path()).unwrap()));
        for (writer, acknowledged) in acknowledged.iter().enumerate() {
            let session = sessions.open(id(writer));
            let count: u64 = session.get_or_default("count").await.unwrap();
            assert!(
                count >= *acknowledged,
                "{writer}: {count} of {acknowledged}"
            );
            assert_eq!(session.get_or_default::<u64>("same").await.unwrap(), count);
        }
    }
    assert!(acknowledged.iter().all(|count| *count > 0));
}
