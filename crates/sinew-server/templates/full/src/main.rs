//! App name: accounts, each with a to-do list.

mod accounts;
mod application;
mod assets;
mod database;
mod layout;
mod pages;
mod reflexes;
mod same_origin;
mod todos;

#[cfg(test)]
mod tests;

#[tokio::main]
async fn main() -> sinew::Result {
    let config = sinew::Config::from_env()?;
    let database = database::Database::open(&config.edge.data_directory)?;
    application::application(database)
        .config(config)
        .serve()
        .await
}
