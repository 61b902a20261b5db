//! The guide shows what the program runs.

use sinew_postgres::{Postgres, PostgresSettings};

#[test]
fn the_guide_has_the_tables_as_they_are_made() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/postgres.md");
    let guide = std::fs::read_to_string(file).unwrap();
    let shown = guide.split("```sql\n").nth(1).unwrap();
    let shown = shown.split("```").next().unwrap();
    let settings = PostgresSettings::from_url("postgres://ada@db/app").unwrap();
    let postgres = Postgres::connect_lazily(settings).unwrap();
    assert_eq!(
        shown,
        postgres.schema_sql(),
        "docs/guide/postgres.md is out of date"
    );
}
