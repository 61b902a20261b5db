//! Builds the book in the folder that is given, as its `book.toml` says.

use anyhow::{Context, Result};
use mdbook_driver::MDBook;

fn main() -> Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .context("which folder holds book.toml?")?;
    MDBook::load(folder)?.build()
}
