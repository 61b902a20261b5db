//! What was asked for on the command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::scenario::Scenario;

pub(crate) const HELP: &str = "\
cable-load [SCENARIO…] [OPTION…]      (cargo xtask bench cable builds the programs and passes everything on)

scenarios (all but hold, when none is named):
  echo           messages that are answered to their sender
  fan-out        broadcasts to all
  churn          connect, subscribe, go, over and over
  idle           connect, subscribe, stay
  avalanche      the server is killed and started again; all come back at once
  slow-reader    one subscriber in ten stops reading
  hold           connections that stay for long, with a broadcast to some of them each second
  million        hold, with 1,000,000 connections, 10 minutes, a descriptor table for each shard

against (the bench application, the bare loop and, if it is on the PATH, anycable-go, when none is named):
  --target bench|bare|anycable|rails    may be repeated; rails is Action Cable with Puma, in the ruby on the PATH
  --target in-place                     the bench application by its channel in place; in echo, when none is named
  --url [NAME=]ws://HOST:PORT/PATH[,…]  a server that runs already, several ports joined by commas; may be repeated.
                                        Its BenchChannel answers `echo` with its data, streams from `bench_ROOM` for
                                        the param `room`, and broadcasts the data of `broadcast` to `bench_ROOM`.
  --identifier JSON                     what to subscribe to there, `{room}` where the room's number goes
  --server-args 'ARGS'                  arguments for the bench application
  --server-env NAME=VALUE               more of its environment; may be repeated
  --threads N                           threads of the bare loop (one for each processor)

how much:
  --connections N        clients (200 for echo, otherwise 10000)
  --rounds N             how often everything is repeated (3)
  --seconds S            how long each round of echo, churn and idle is measured (2), how long hold lasts (60)
  --broadcasts N         in each round of fan-out (20) and slow-reader (100)
  --bytes B              data of a message (64 for echo, 200 for fan-out and hold, 16384 for slow-reader)
  --in-flight N          handshakes under way at a time (256)
  --room N               clients in a room of hold (10000)
  --clients-per-worker N clients of one process (16000)

  --json FILE            write every round to a file
  --plots DIR            write charts as SVG into a folder
  --verbose              show what the servers log
";

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) targets: Vec<TargetName>,
    pub(crate) identifier: Option<String>,
    pub(crate) server_args: Vec<String>,
    pub(crate) server_env: Vec<(String, String)>,
    pub(crate) threads: Option<usize>,
    pub(crate) connections: Option<u32>,
    pub(crate) rounds: usize,
    pub(crate) seconds: Option<f64>,
    pub(crate) broadcasts: Option<u32>,
    pub(crate) bytes: Option<usize>,
    pub(crate) in_flight: u32,
    pub(crate) room: u32,
    pub(crate) clients_per_worker: u32,
    pub(crate) json: Option<PathBuf>,
    pub(crate) plots: Option<PathBuf>,
    pub(crate) is_verbose: bool,
    /// Everything as it was typed, for whoever wants to repeat it.
    pub(crate) typed: String,
}

/// A server to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TargetName {
    /// The application of this package.
    Bench,
    /// The same, by its channel that is begun in place.
    InPlace,
    Bare,
    AnyCable,
    Rails,
    Url {
        name: String,
        urls: Vec<String>,
    },
}

impl Options {
    pub(crate) fn from_words(words: impl Iterator<Item = String>) -> Result<Self> {
        let words: Vec<String> = words.collect();
        let mut options = Self {
            scenarios: Vec::new(),
            targets: Vec::new(),
            identifier: None,
            server_args: Vec::new(),
            server_env: Vec::new(),
            threads: None,
            connections: None,
            rounds: 3,
            seconds: None,
            broadcasts: None,
            bytes: None,
            in_flight: 256,
            room: 10_000,
            clients_per_worker: 16_000,
            json: None,
            plots: None,
            is_verbose: false,
            typed: words.join(" "),
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} needs a value"))
            };
            match word.as_str() {
                "--target" => options.targets.push(TargetName::from_name(&value()?)?),
                "--url" => options.targets.push(TargetName::from_url(&value()?)),
                "--identifier" => options.identifier = Some(value()?),
                "--server-args" => {
                    let given = value()?;
                    options.server_args = given.split_whitespace().map(str::to_owned).collect();
                }
                "--server-env" => {
                    let given = value()?;
                    let pair = given.split_once('=').context("--server-env NAME=VALUE")?;
                    options
                        .server_env
                        .push((pair.0.to_owned(), pair.1.to_owned()));
                }
                "--threads" => options.threads = Some(number(&word, &value()?, 1, 1024)?),
                "--connections" => {
                    options.connections = Some(number(&word, &value()?, 1, 2_000_000)?);
                }
                "--rounds" => options.rounds = number(&word, &value()?, 1, 1000)?,
                "--seconds" => options.seconds = Some(number(&word, &value()?, 0.05, 86_400.0)?),
                "--broadcasts" => options.broadcasts = Some(number(&word, &value()?, 1, 100_000)?),
                "--bytes" => options.bytes = Some(number(&word, &value()?, 0, 1 << 20)?),
                "--in-flight" => options.in_flight = number(&word, &value()?, 1, 100_000)?,
                "--room" => options.room = number(&word, &value()?, 1, 2_000_000)?,
                "--clients-per-worker" => {
                    options.clients_per_worker = number(&word, &value()?, 1, 1_000_000)?;
                }
                "--json" => options.json = Some(value()?.into()),
                "--plots" => options.plots = Some(value()?.into()),
                "--verbose" => options.is_verbose = true,
                "million" => options.take_million(),
                name if name.starts_with('-') => bail!("`{name}` is not understood\n\n{HELP}"),
                name => options.scenarios.push(Scenario::from_name(name)?),
            }
        }
        if options.scenarios.is_empty() {
            options.scenarios = Scenario::BENCHMARKS.to_vec();
        }
        Ok(options)
    }

    /// What 1,000,000 connections need; whatever is given on the command line after it wins.
    fn take_million(&mut self) {
        self.scenarios.push(Scenario::Hold);
        self.targets.push(TargetName::Bench);
        self.connections = Some(1_000_000);
        self.seconds = Some(600.0);
        self.rounds = 1;
        self.in_flight = 512;
        let shards = ["--shards", "64", "--descriptor-tables"];
        self.server_args.extend(shards.map(str::to_owned));
        let pings = ("BENCH_PING_SECONDS".to_owned(), "30".to_owned());
        self.server_env.push(pings);
    }

    pub(crate) fn seconds_or(&self, default: f64) -> Duration {
        Duration::from_secs_f64(self.seconds.unwrap_or(default))
    }
}

impl TargetName {
    fn from_name(name: &str) -> Result<Self> {
        Ok(match name {
            "bench" => Self::Bench,
            "in-place" => Self::InPlace,
            "bare" => Self::Bare,
            "anycable" => Self::AnyCable,
            "rails" => Self::Rails,
            _ => bail!(
                "--target is bench, in-place, bare, anycable or rails; `{name}` is none of them"
            ),
        })
    }

    fn from_url(given: &str) -> Self {
        let (name, urls) = match given.split_once('=') {
            Some((name, urls)) if !name.contains("://") => (name, urls),
            _ => (given, given),
        };
        Self::Url {
            name: name.to_owned(),
            urls: urls.split(',').map(str::to_owned).collect(),
        }
    }
}

fn number<N: FromStr + PartialOrd + ToString>(
    word: &str,
    value: &str,
    least: N,
    most: N,
) -> Result<N> {
    let said = || {
        let (least, most) = (least.to_string(), most.to_string());
        format!("{word} is a number from {least} to {most}, not `{value}`")
    };
    let Ok(number) = value.parse::<N>() else {
        bail!(said());
    };
    ensure!(number >= least && number <= most, said());
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<Options> {
        Options::from_words(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn nothing_typed_is_everything() {
        let options = typed("").unwrap();
        assert_eq!(options.scenarios, Scenario::BENCHMARKS);
        assert_eq!(options.targets, []);
    }

    #[test]
    fn a_million_is_a_preset_that_later_words_change() {
        let options = typed("million --connections 5000 --seconds 3").unwrap();
        assert_eq!(options.scenarios, [Scenario::Hold]);
        assert_eq!(options.connections, Some(5000));
        assert_eq!(options.server_args[0], "--shards");
    }

    #[test]
    fn a_url_may_have_a_name_and_several_ports() {
        let options =
            typed("echo --url ws://a:1/cable?x=1 --url rails=ws://a:1/cable,ws://a:2/cable");
        let targets = options.unwrap().targets;
        let first = "ws://a:1/cable?x=1";
        assert_eq!(targets[0], TargetName::from_url(first));
        let TargetName::Url { name, urls } = &targets[1] else {
            panic!("{targets:?}");
        };
        assert_eq!((name.as_str(), urls.len()), ("rails", 2));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let refusal = |line| typed(line).unwrap_err().to_string();
        assert!(refusal("fan-in").contains("fan-in"));
        assert!(refusal("echo --secnds 3").contains("--secnds"));
        assert_eq!(
            refusal("--rounds many"),
            "--rounds is a number from 1 to 1000, not `many`"
        );
    }
}
