use sinew::prelude::*;

struct Counter;

struct Step(i64);

#[reflex]
impl Counter {
    async fn add(&self, _cx: &mut Reflex, step: Step) -> Result {
        let _ = step.0;
        Ok(())
    }
}

fn main() {}
