//! Every round of every server, the medians of them, and how they compare.

use serde_json::{Value, json};

use crate::options::Options;
use crate::plot;
use crate::process;
use crate::scenario::{Scenario, Values};

/// Something that is measured of each server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) key: &'static str,
    pub(crate) heading: &'static str,
    decimals: usize,
    /// Whether it is compared with the first server's of the same round.
    is_compared: bool,
}

impl Column {
    pub(crate) const fn new(key: &'static str, heading: &'static str, decimals: usize) -> Self {
        Self {
            key,
            heading,
            decimals,
            is_compared: false,
        }
    }

    pub(crate) const fn ratio(key: &'static str, heading: &'static str, decimals: usize) -> Self {
        Self {
            is_compared: true,
            ..Self::new(key, heading, decimals)
        }
    }
}

pub(crate) struct Report {
    typed: String,
    rounds: usize,
    load_before: f64,
    rows: Vec<Row>,
    series: Vec<Series>,
}

/// Something of one server over the seconds of a run.
struct Series {
    server: String,
    what: &'static str,
    points: Vec<(f64, f64)>,
}

/// One server in one scenario.
struct Row {
    scenario: Scenario,
    target: String,
    connections: u32,
    rounds: Vec<Values>,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            typed: options.typed.clone(),
            rounds: options.rounds,
            load_before: process::load(),
            rows: Vec::new(),
            series: Vec::new(),
        }
    }

    /// One round; the first server of a scenario is what the others are compared with.
    pub(crate) fn add(
        &mut self,
        scenario: Scenario,
        target: &str,
        connections: u32,
        values: Values,
    ) {
        debug_assert_eq!(values.len(), scenario.columns().len());
        let row = self
            .rows
            .iter_mut()
            .find(|row| row.scenario == scenario && row.target == target);
        match row {
            Some(row) => row.rounds.push(values),
            None => self.rows.push(Row {
                scenario,
                target: target.to_owned(),
                connections,
                rounds: vec![values],
            }),
        }
    }

    /// What one server showed over time, as seconds and values.
    pub(crate) fn add_series(&mut self, server: &str, what: &'static str, points: Vec<(f64, f64)>) {
        self.series.push(Series {
            server: server.to_owned(),
            what,
            points,
        });
    }

    /// File names and charts: one for each scenario, and one for each thing that was seen over time.
    pub(crate) fn plots(&self) -> Vec<(String, String)> {
        let mut plots = Vec::new();
        for scenario in self.scenarios() {
            let rows = self.of(scenario);
            let columns = scenario.columns().iter().enumerate();
            let panels = columns
                .filter(|(_, column)| column.is_compared)
                .map(|(at, column)| {
                    let bars = rows.iter().map(|row| (row.target.clone(), row.median(at)));
                    (column.heading.to_owned(), bars.collect())
                });
            let panels: Vec<(String, Vec<(String, f64)>)> = panels.collect();
            if !panels.is_empty() {
                let title = format!("{}, {} connections", scenario.name(), rows[0].connections);
                let name = format!("cable-{}.svg", scenario.name());
                plots.push((name, plot::bars(&title, &panels)));
            }
        }
        let mut whats: Vec<_> = self.series.iter().map(|it| it.what).collect();
        whats.sort_unstable();
        whats.dedup();
        for what in whats {
            let series = self.series.iter().filter(|it| it.what == what);
            let series = series.map(|it| (it.server.clone(), it.points.clone()));
            let words: Vec<_> = what
                .split(|letter: char| !letter.is_ascii_alphanumeric())
                .filter(|word| !word.is_empty())
                .collect();
            let name = format!("cable-hold-{}.svg", words.join("-").to_lowercase());
            plots.push((name, plot::lines(what, &series.collect::<Vec<_>>())));
        }
        plots
    }

    pub(crate) fn print(&self) {
        println!(
            "{}; load {:.2} before, {:.2} after\n",
            process::machine(),
            self.load_before,
            process::load()
        );
        println!("cargo xtask bench cable {}\n", self.typed);
        println!("Medians of {} rounds.", self.rounds);
        for scenario in self.scenarios() {
            self.print_scenario(scenario);
        }
    }

    fn scenarios(&self) -> Vec<Scenario> {
        let mut scenarios: Vec<_> = self.rows.iter().map(|row| row.scenario).collect();
        scenarios.dedup();
        scenarios
    }

    fn of(&self, scenario: Scenario) -> Vec<&Row> {
        self.rows
            .iter()
            .filter(|row| row.scenario == scenario)
            .collect()
    }

    fn print_scenario(&self, scenario: Scenario) {
        let rows = self.of(scenario);
        println!("\n## {}\n", scenario.name());
        print!("| server | connections |");
        for column in scenario.columns() {
            print!(" {} |", column.heading);
            if column.is_compared && rows.len() > 1 {
                print!(" × |");
            }
        }
        print!("\n|---|---:|");
        for column in scenario.columns() {
            print!("---:|");
            if column.is_compared && rows.len() > 1 {
                print!("---:|");
            }
        }
        println!();
        for row in &rows {
            print!("| {} | {} |", row.target, row.connections);
            for (at, column) in scenario.columns().iter().enumerate() {
                print!(" {} |", number(row.median(at), column.decimals));
                if column.is_compared && rows.len() > 1 {
                    print!(" {} |", number(row.ratio(rows[0], at), 2));
                }
            }
            println!();
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let columns = row.scenario.columns();
            let first = self.of(row.scenario)[0];
            let rounds = row.rounds.iter().map(|values| {
                let pairs = columns.iter().zip(values);
                Value::Object(
                    pairs
                        .map(|(it, value)| (it.key.to_owned(), json!(value)))
                        .collect(),
                )
            });
            let medians = columns.iter().enumerate();
            let medians = medians.map(|(at, it)| (it.key.to_owned(), json!(row.median(at))));
            let ratios = columns.iter().enumerate().filter(|(_, it)| it.is_compared);
            let ratios = ratios.map(|(at, it)| (it.key.to_owned(), json!(row.ratio(first, at))));
            json!({
                "scenario": row.scenario.name(),
                "server": row.target,
                "connections": row.connections,
                "medians": Value::Object(medians.collect()),
                "ratios": Value::Object(ratios.collect()),
                "rounds": rounds.collect::<Vec<_>>(),
            })
        });
        json!({
            "command": format!("cargo xtask bench cable {}", self.typed),
            "machine": process::machine(),
            "load_before": self.load_before,
            "load_after": process::load(),
            "results": rows.collect::<Vec<_>>(),
            "series": self.series.iter().map(|it| json!({
                "server": it.server,
                "what": it.what,
                "points": it.points,
            })).collect::<Vec<_>>(),
        })
    }
}

impl Row {
    fn median(&self, column: usize) -> f64 {
        median(self.rounds.iter().map(|values| values[column]).collect())
    }

    /// To the other server, within each round.
    fn ratio(&self, other: &Self, column: usize) -> f64 {
        let rounds = self.rounds.iter().zip(&other.rounds);
        median(
            rounds
                .map(|(mine, theirs)| mine[column] / theirs[column])
                .collect(),
        )
    }
}

/// The number in the middle; not a number when there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

fn number(value: f64, decimals: usize) -> String {
    match value.is_finite() {
        true => format!("{value:.decimals$}"),
        false => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        let options = Options::from_words(["echo".to_owned()].into_iter()).unwrap();
        let mut report = Report::new(&options);
        let values = |cpu| vec![1.0, cpu, 1.0, 1.0, 1.0, 0.0];
        // The machine was twice as slow in the second round.
        for (bare, sinew) in [(5.0, 10.0), (10.0, 20.0)] {
            report.add(Scenario::Echo, "bare", 1, values(bare));
            report.add(Scenario::Echo, "sinew", 1, values(sinew));
        }
        assert_eq!(report.rows[1].ratio(&report.rows[0], 1), 2.0);
        assert_eq!(report.to_json()["results"][1]["ratios"]["cpu_us"], 2.0);
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }
}
