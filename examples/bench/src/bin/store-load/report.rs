//! Medians of all rounds, beside what bare Redis does.

use serde_json::{Value, json};

use crate::turns::Measured;

#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    scenario: &'static str,
    store: &'static str,
    tasks: usize,
    rounds: Vec<Measured>,
}

impl Row {
    fn median(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }
}

impl Report {
    pub(crate) fn add(
        &mut self,
        scenario: &'static str,
        store: &'static str,
        tasks: usize,
        measured: Measured,
    ) {
        let known = self
            .rows
            .iter_mut()
            .find(|row| (row.scenario, row.store, row.tasks) == (scenario, store, tasks));
        match known {
            Some(row) => row.rounds.push(measured),
            None => self.rows.push(Row {
                scenario,
                store,
                tasks,
                rounds: vec![measured],
            }),
        }
    }

    /// A round's speed beside that of bare Redis in the same round: SET for what writes, GET for what reads.
    fn ratio(&self, row: &Row) -> f64 {
        let floor = match row.scenario {
            "cache hit" | "GET" => "GET",
            _ => "SET",
        };
        let floor = self
            .rows
            .iter()
            .find(|it| it.scenario == floor && it.tasks == row.tasks);
        let Some(floor) = floor else {
            return f64::NAN;
        };
        let mut ratios: Vec<f64> = row
            .rounds
            .iter()
            .zip(&floor.rounds)
            .map(|(mine, floor)| mine.per_second / floor.per_second)
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn print(&self) {
        println!(
            "| what | store | tasks | per second | of bare Redis | p50 ms | p99 ms | computed for each key |"
        );
        println!("|---|---|---:|---:|---:|---:|---:|---:|");
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        let order = [
            "SET",
            "GET",
            "session",
            "cache hit",
            "cache miss",
            "cache herd",
        ];
        rows.sort_by_key(|row| (order.iter().position(|it| *it == row.scenario), row.tasks));
        for row in rows {
            let computed = row.median(|it| it.computed);
            let computed = match computed.is_nan() {
                true => String::new(),
                false => format!("{computed:.2}"),
            };
            println!(
                "| {} | {} | {} | {:.0} | {:.2} | {:.3} | {:.3} | {computed} |",
                row.scenario,
                row.store,
                row.tasks,
                row.median(|it| it.per_second),
                self.ratio(row),
                row.median(|it| it.p50_ms),
                row.median(|it| it.p99_ms),
            );
        }
    }

    pub(crate) fn json(&self) -> String {
        let row = |row: &Row| -> Value {
            let rounds: Vec<Value> = row
                .rounds
                .iter()
                .map(|it| {
                    json!({
                        "per_second": it.per_second,
                        "p50_ms": it.p50_ms,
                        "p99_ms": it.p99_ms,
                        "computed": it.computed.is_finite().then_some(it.computed),
                    })
                })
                .collect();
            json!({ "what": row.scenario, "store": row.store, "tasks": row.tasks, "rounds": rounds })
        };
        let rows: Vec<Value> = self.rows.iter().map(row).collect();
        json!({ "rows": rows }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(per_second: f64) -> Measured {
        Measured {
            per_second,
            p50_ms: 1.0,
            p99_ms: 2.0,
            computed: f64::NAN,
        }
    }

    #[test]
    fn rounds_are_compared_one_by_one() {
        let mut report = Report::default();
        for (floor, mine) in [(100.0, 50.0), (10.0, 5.0), (1000.0, 100.0)] {
            report.add("SET", "redis-benchmark", 1, measured(floor));
            report.add("session", "Redis", 1, measured(mine));
        }
        assert_eq!(report.ratio(&report.rows[1]), 0.5);
        assert_eq!(report.rows[1].median(|it| it.per_second), 50.0);
        let json: Value = serde_json::from_str(&report.json()).expect("JSON");
        assert_eq!(json["rows"][1]["rounds"][2]["per_second"], 100.0);
    }
}
