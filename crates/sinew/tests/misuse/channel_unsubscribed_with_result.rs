use sinew::prelude::*;

struct RoomChannel;

#[channel]
impl RoomChannel {
    async fn unsubscribed(&self, _cx: &mut Subscription) -> ChannelResult {
        Ok(())
    }
}

fn main() {}
