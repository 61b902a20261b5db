//! The table of to-dos. Every statement names the account, so that nobody reaches another's.

use rusqlite::params;
use sinew::Result;

use crate::database::Database;

/// To-dos an account may have: what is over is not added.
pub(crate) const TODOS_MAX: u32 = 200;
/// Characters of a title: what is over is cut.
pub(crate) const TITLE_CHARS_MAX: usize = 200;

pub(crate) struct Todo {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) done: bool,
}

/// The account's to-dos, oldest first.
pub(crate) async fn all(database: &Database, account: i64) -> Result<Vec<Todo>> {
    let sql = "SELECT id, title, done FROM todos WHERE account_id = ?1 ORDER BY id";
    database
        .run(move |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([account], |row| {
                Ok(Todo {
                    id: row.get(0)?,
                    title: row.get(1)?,
                    done: row.get(2)?,
                })
            })?;
            rows.collect()
        })
        .await
}

pub(crate) async fn add(database: &Database, account: i64, title: &str) -> Result {
    let title: String = title.chars().take(TITLE_CHARS_MAX).collect();
    let sql = "INSERT INTO todos (account_id, title) SELECT ?1, ?2
        WHERE (SELECT count(*) FROM todos WHERE account_id = ?1) < ?3";
    database
        .run(move |connection| connection.execute(sql, params![account, title, TODOS_MAX]))
        .await?;
    Ok(())
}

/// Done, or open again.
pub(crate) async fn toggle(database: &Database, account: i64, id: i64) -> Result {
    let sql = "UPDATE todos SET done = NOT done WHERE account_id = ?1 AND id = ?2";
    database
        .run(move |connection| connection.execute(sql, [account, id]))
        .await?;
    Ok(())
}

pub(crate) async fn remove(database: &Database, account: i64, id: i64) -> Result {
    let sql = "DELETE FROM todos WHERE account_id = ?1 AND id = ?2";
    database
        .run(move |connection| connection.execute(sql, [account, id]))
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn another_accounts_todo_can_be_named_and_not_reached() {
        let database = Database::in_memory().unwrap();
        let two =
            "INSERT INTO accounts (id, name, password_hash) VALUES (1, 'ada', ''), (2, 'bob', '')";
        database
            .run(move |connection| connection.execute(two, []))
            .await
            .unwrap();
        let (ada, bob) = (1, 2);
        add(&database, ada, "Tea").await.unwrap();
        let id = all(&database, ada).await.unwrap()[0].id;
        toggle(&database, bob, id).await.unwrap();
        remove(&database, bob, id).await.unwrap();
        assert!(!all(&database, ada).await.unwrap()[0].done);
        assert!(all(&database, bob).await.unwrap().is_empty());
    }
}
