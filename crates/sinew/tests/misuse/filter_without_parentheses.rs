use sinew::prelude::*;

struct Counter;

#[reflex]
impl Counter {
    async fn increment(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }

    #[before(only = increment)]
    async fn load(&self, _cx: &mut Reflex) -> Result {
        Ok(())
    }
}

fn main() {}
