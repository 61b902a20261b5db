use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    #[rescue]
    async fn apologise(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
