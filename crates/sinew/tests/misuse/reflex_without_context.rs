use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    #[action]
    async fn increment(&self) -> Result {
        Ok(())
    }
}

fn main() {}
