//! The developer's commands: `cargo xtask COMMAND`.
//!
//! For whoever changes this repository; it knows about every tool the project needs and nothing
//! about how the project works. What CI runs is `cargo xtask test`, the same as on a laptop.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command's output is what it is for"
)]

mod arguments;
mod bench;
mod book;
#[allow(dead_code, reason = "shared by source: each includer uses a part")]
#[path = "../../crates/sinew/build/bundle.rs"]
mod bundle;
mod checkout;
mod client;
mod demo;
mod differences;
mod golden;
mod new_applications;
mod package;
mod prerequisites;
mod run;
mod test;
#[cfg(test)]
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};
use arguments::Arguments;

const HELP: &str = "\
cargo xtask COMMAND

  demo [--watch]     build the browser bundle and run the demo; it prints its URL;
                     --watch builds and runs it again after each change of its files
  client             make the browser bundle from packages/client, if its inputs changed
  test [--install]   everything that decides whether a change lands; --install (or CI=true)
                     installs what is missing
  golden [--filter RE] [--keep DIR] [--bless] [--install]
                     the reference application against the recordings in spec/golden
  new                make both kinds of new application, test them and click through them
  book               build the book of docs/ into target/book, and follow its links
  codegen            write what is made from other files: docs/differences.md, the variables in
                     docs/guide/configuration.md, the findings in docs/guide/doctor.md, the
                     decisions in docs/SUMMARY.md
  bench reflex [--seconds S] [--connections 1,20,200]
                     what a reflex costs, beside a bare echo of the same bytes
  bench cable [SCENARIO…] [OPTION…]
                     what connections and broadcasts cost, beside bare loops and other servers;
                     `bench cable help` tells the scenarios and options
  bench instructions [--accept]
                     instructions of the hot path, beside those kept in the repository;
                     --accept keeps the new ones
  bench store        sessions and the cache in each store, beside bare GETs and SETs of Redis
  bench compression  what compressed messages save and cost, with and without in turns
  package            package the facade with its bundle, and build that without Node or network
";

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<ExitCode> {
    let mut arguments = Arguments::from_environment();
    let command = arguments.command();
    match command.as_deref() {
        Some("demo") => {
            let watch = arguments.flag("--watch");
            arguments.finish()?;
            demo::run(watch)
        }
        Some("client") => {
            arguments.finish()?;
            client::run()
        }
        Some("test") => {
            let install = arguments.flag("--install");
            arguments.finish()?;
            test::run(install)
        }
        Some("golden") => {
            let options = golden::Options {
                filter: arguments.value("--filter")?,
                keep: arguments.value("--keep")?,
                bless: arguments.flag("--bless"),
                install: arguments.flag("--install"),
            };
            arguments.finish()?;
            golden::run(&options)
        }
        Some("book") => {
            arguments.finish()?;
            book::run()
        }
        Some("new") => {
            arguments.finish()?;
            new_applications::run()
        }
        Some("codegen") => {
            arguments.finish()?;
            book::write()?;
            differences::write()
        }
        Some("bench") => {
            let what = arguments.command();
            if what.as_deref() == Some("cable") {
                return bench::cable(&arguments.rest());
            }
            if what.as_deref() == Some("store") {
                return bench::store(&arguments.rest());
            }
            if what.as_deref() == Some("instructions") {
                let accept = arguments.flag("--accept");
                arguments.finish()?;
                return bench::instructions::run(accept);
            }
            let options = bench::Options::new(
                arguments.value("--seconds")?,
                arguments.value("--connections")?,
            )?;
            arguments.finish()?;
            bench::run(what.as_deref(), &options)
        }
        Some("package") => {
            arguments.finish()?;
            package::run()
        }
        Some("help") | None => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some(unknown) => bail!("there is no command `{unknown}`\n\n{HELP}"),
    }
}
