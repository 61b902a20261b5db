use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    #[around]
    async fn timed(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
