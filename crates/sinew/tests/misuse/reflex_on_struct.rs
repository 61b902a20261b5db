use sinew::prelude::*;

#[reflex]
struct Counter;

fn main() {}
