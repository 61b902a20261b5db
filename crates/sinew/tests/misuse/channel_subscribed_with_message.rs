use sinew::prelude::*;

struct RoomChannel;

#[channel]
impl RoomChannel {
    async fn subscribed(&self, _cx: &mut Subscription, _text: String) {}
}

fn main() {}
