use std::fmt;

use sinew_protocol::Identifier;
use sinew_streams::StreamName;
use smallvec::SmallVec;

use super::{Effects, Followed, Ticket};
use crate::controller::SubscriptionState;
use crate::shard::Seat;

/// A subscription that stands.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/client.rs"));
/// # use std::sync::Arc;
/// # use sinew_cable::{
/// #     Answer, Cable, Call, Confirmation, ConnectionContext, ConnectionIdentifiers, Controller,
/// #     Replies, Subscribed,
/// # };
/// # use sinew_streams::InProcessStreams;
///
/// # struct Numbered;
/// impl Controller for Numbered {
///     fn handle(&self, call: Call<'_>, _: &Replies<'_>) -> Option<Answer> {
///         Some(match call {
///             Call::Connect(_) => Answer::connected(ConnectionIdentifiers::new()),
///             Call::Subscribe { .. } => {
///                 let mut confirmation = Confirmation::new().with_state(Arc::new(42_u32));
///                 confirmation.route = 7;
///                 confirmation.into()
///             }
///             Call::Perform { subscription, .. } => {
///                 assert_eq!(subscription.identifier().as_str(), "news");
///                 assert_eq!(subscription.route(), 7);
///                 let state = subscription.state().expect("kept with it");
///                 assert_eq!(state.downcast_ref::<u32>(), Some(&42));
///                 Answer::Done
///             }
///             _ => Answer::Done,
///         })
///     }
/// #   fn disconnected(&self, _: &ConnectionContext, _: Vec<Subscribed>) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cable = Cable::builder(Arc::new(Numbered), Arc::new(InProcessStreams::new())).build()?;
/// # let mut client = Client::open(&cable);
/// client.subscribe("news");
/// client.perform("news", "{}");
/// # assert_eq!(cable.statistics().calls_failed, 0);
/// # Ok(()) }
/// ```
pub struct Subscribed {
    identifier: Identifier,
    state: Option<SubscriptionState>,
    route: u32,
    /// One stream is the rule: kept without an allocation.
    streams: SmallVec<[(StreamName, Seat); 1]>,
}

impl Subscribed {
    pub(super) fn new(
        identifier: Identifier,
        state: Option<SubscriptionState>,
        route: u32,
    ) -> Self {
        Self {
            identifier,
            state,
            route,
            streams: SmallVec::new(),
        }
    }

    /// Its name, as the client wrote it.
    pub fn identifier(&self) -> &Identifier {
        &self.identifier
    }

    /// What the controller keeps with it.
    pub fn state(&self) -> Option<&SubscriptionState> {
        self.state.as_ref()
    }

    /// The controller's own number for it.
    pub fn route(&self) -> u32 {
        self.route
    }

    /// The streams it follows.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &StreamName> {
        self.streams.iter().map(|(stream, _)| stream)
    }

    /// Follows those it does not follow yet. Gives how many are still to be followed elsewhere.
    pub(super) fn follow_all(
        &mut self,
        ticket: Ticket,
        streams: impl IntoIterator<Item = StreamName>,
        effects: &mut impl Effects,
    ) -> usize {
        let mut pending = 0;
        for mut stream in streams {
            if self.streams().any(|known| *known == stream) {
                continue;
            }
            let seat = match effects.follow(ticket, &self.identifier, &mut stream) {
                Followed::Now(seat) => seat,
                Followed::Later(seat) => {
                    pending += 1;
                    seat
                }
            };
            self.streams.push((stream, seat));
        }
        pending
    }

    pub(super) fn unfollow(&mut self, stream: &StreamName, effects: &mut impl Effects) {
        if let Some(at) = self.streams.iter().position(|(known, _)| known == stream) {
            let (stream, seat) = self.streams.remove(at);
            effects.unfollow(&self.identifier, &stream, seat);
        }
    }

    pub(super) fn unfollow_all(&mut self, effects: &mut impl Effects) {
        for (stream, seat) in self.streams.drain(..) {
            effects.unfollow(&self.identifier, &stream, seat);
        }
    }
}

impl fmt::Debug for Subscribed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Subscribed")
            .field("identifier", &self.identifier)
            .field("streams", &self.streams().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
