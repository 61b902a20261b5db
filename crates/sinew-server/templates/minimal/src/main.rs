//! App name: pages rendered in Rust, changed by reflexes.

mod application;
mod assets;
mod layout;
mod pages;
mod reflexes;

#[cfg(test)]
mod tests;

#[tokio::main]
async fn main() -> sinew::Result {
    application::application().serve().await
}
