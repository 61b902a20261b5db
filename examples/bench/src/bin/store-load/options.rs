//! What was typed.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

const HELP: &str = "\
store-load [OPTION…]      (cargo xtask bench store builds the program and passes everything on)

  --tasks LIST     tasks at a time (1,20,200)
  --rounds N       how often everything is repeated (3)
  --seconds S      how long each store is measured in each scenario of each round (1)
  --json FILE      write every round to a file
";

#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) tasks: Vec<usize>,
    pub(crate) rounds: usize,
    pub(crate) seconds: Duration,
    pub(crate) json: Option<PathBuf>,
}

impl Options {
    pub(crate) fn from_words(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            tasks: vec![1, 20, 200],
            rounds: 3,
            seconds: Duration::from_secs(1),
            json: None,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} needs a value"))
            };
            match word.as_str() {
                "--tasks" => {
                    let list = value()?;
                    let tasks: Result<_, _> = list.split(',').map(str::parse).collect();
                    options.tasks = tasks.context("--tasks needs numbers: 1,20,200")?;
                }
                "--rounds" => {
                    options.rounds = value()?.parse().context("--rounds needs a number")?
                }
                "--seconds" => {
                    let seconds: f64 = value()?.parse().context("--seconds needs a number")?;
                    ensure!(
                        (0.05..=60.0).contains(&seconds),
                        "--seconds is between 0.05 and 60"
                    );
                    options.seconds = Duration::from_secs_f64(seconds);
                }
                "--json" => options.json = Some(value()?.into()),
                "--help" => {
                    print!("{HELP}");
                    std::process::exit(0);
                }
                _ => bail!("`{word}` is not understood here\n\n{HELP}"),
            }
        }
        let is_sound = options
            .tasks
            .iter()
            .all(|tasks| (1..=5_000).contains(tasks));
        ensure!(
            is_sound && !options.tasks.is_empty(),
            "--tasks are between 1 and 5000"
        );
        ensure!(
            (1..=100).contains(&options.rounds),
            "--rounds is between 1 and 100"
        );
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<Options> {
        Options::from_words(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read() {
        let options = typed("--tasks 2,3 --seconds 0.5 --rounds 1 --json out").expect("fine");
        assert_eq!((options.tasks, options.rounds), (vec![2, 3], 1));
        assert_eq!(options.seconds, Duration::from_millis(500));
        assert_eq!(options.json, Some("out".into()));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "--tasks",
            "--tasks 0",
            "--tasks x",
            "--rounds 0",
            "--seconds 0",
            "fast",
        ] {
            assert!(typed(line).is_err(), "{line}");
        }
    }
}
