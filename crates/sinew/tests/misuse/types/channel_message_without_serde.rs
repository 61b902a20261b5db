use sinew::prelude::*;

struct RoomChannel;

#[channel]
impl RoomChannel {
    async fn say(&self, _cx: &mut Subscription, _said: std::time::Instant) {}
}

fn main() {}
