//! One connection as a state machine: events in, effects out. No socket, no timer, no task, no runtime.

mod effects;
mod span;
mod subscribed;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use sinew_protocol::{ClientCommand, CommandError, DisconnectReason, Identifier, ServerMessage};
use sinew_streams::StreamName;

pub(crate) use effects::{Effects, Event, Followed, Ticket};
pub use subscribed::Subscribed;

use crate::controller::{Answer, Call, Changes, Confirmation, Refusal};
use crate::statistics::{Counters, down, up};
use crate::{Config, ConnectRequest, ConnectionContext, Controller};

/// One client's socket-level life on the server.
///
/// Connecting, until the application has answered; open; then ended.
/// Commands are handled strictly one after another: while the application owes an answer, the next ones wait.
///
/// ```text
/// Opened ── Connect ──► connecting ── Connected ──► open ── Disconnect ─► ended
///                          │  Refused, Failed, too late                    ▲
///                          └───────────────────────────────────────────────┘
/// ```
pub(crate) struct Connection {
    context: ConnectionContext,
    phase: Phase,
    ticket: Ticket,
    subscriptions: Vec<Subscribed>,
    /// Boxed, so that an idle connection holds a pointer.
    waiting: Option<Box<Waiting>>,
}

enum Phase {
    Connecting { since: Instant },
    Open(Busy),
    Ended,
}

/// What the application owes an answer to.
enum Busy {
    No,
    Subscribe(Identifier),
    /// The streams of a granted subscription that are still being followed elsewhere.
    Follow(Identifier, usize),
    /// A message or unsubscribe command of the named subscription.
    Command(Identifier),
    /// Streams that an action asked for are being followed.
    Change(usize),
}

#[derive(Default)]
struct Waiting {
    commands: VecDeque<ClientCommand<'static>>,
    bytes: usize,
}

impl Connection {
    /// A connection whose socket has just been opened. Give it [`Event::Opened`] next.
    pub(crate) fn new(now: Instant, context: ConnectionContext) -> Self {
        Self {
            context,
            phase: Phase::Connecting { since: now },
            ticket: Ticket(0),
            subscriptions: Vec::new(),
            waiting: None,
        }
    }

    /// Takes one event and performs what follows from it on `effects`, in order.
    pub(crate) fn handle(&mut self, now: Instant, event: Event<'_>, effects: &mut impl Effects) {
        match event {
            Event::Opened(request) => self.connect(request, effects),
            Event::Text(frame) => self.frame(ClientCommand::parse(frame), effects),
            Event::Binary(frame) => self.frame(ClientCommand::parse_bytes(frame), effects),
            Event::Answered(ticket, answer) => {
                if ticket == self.ticket {
                    self.answered(answer, effects);
                    self.run_waiting(effects);
                }
            }
            Event::Followed(ticket, followed) => {
                if ticket == self.ticket {
                    self.followed(followed, effects);
                    self.run_waiting(effects);
                }
            }
            Event::Tick => self.tick(now, effects),
            Event::Disconnect { reason, reconnect } => self.end(reason, reconnect, effects),
            Event::Flooded => self.flooded(effects),
            Event::Gone => self.gone(effects),
        }
    }

    /// Whether it was welcomed and has not ended.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    /// Whether so much waits for the application that the socket should not be read.
    pub(crate) fn is_congested(&self) -> bool {
        let config = self.config();
        self.waiting.as_ref().is_some_and(|waiting| {
            waiting.commands.len() >= config.waiting_commands_max
                || waiting.bytes >= config.waiting_bytes_max
        })
    }

    /// Whether the application owes it an answer, to a command or to something that a command began.
    pub(crate) fn is_busy(&self, controller: &dyn Controller) -> bool {
        match &self.phase {
            Phase::Open(Busy::No) => self
                .subscriptions
                .iter()
                .any(|subscription| controller.is_busy(&self.context, subscription)),
            Phase::Open(_) => true,
            Phase::Connecting { .. } | Phase::Ended => false,
        }
    }

    /// Those that stand, in the order in which they came.
    #[cfg(test)]
    pub(crate) fn subscriptions(&self) -> &[Subscribed] {
        &self.subscriptions
    }

    fn config(&self) -> &Config {
        &self.context.mailbox.node.config
    }

    fn counters(&self) -> &Counters {
        self.context.mailbox.counters()
    }

    fn next_ticket(&mut self) -> Ticket {
        self.ticket = Ticket(self.ticket.0.wrapping_add(1));
        self.ticket
    }

    // Opening and ending.

    fn connect(&mut self, request: Arc<ConnectRequest>, effects: &mut impl Effects) {
        let ticket = self.next_ticket();
        if let Some(answer) = effects.call(ticket, Call::Connect(request)) {
            self.answered(answer, effects);
            self.run_waiting(effects);
        }
    }

    fn tick(&mut self, now: Instant, effects: &mut impl Effects) {
        if let Phase::Connecting { since } = self.phase
            && now.saturating_duration_since(since) >= self.config().connect_timeout
        {
            tracing::warn!(
                connection = self.context.id().get(),
                "the application did not answer the connect in time"
            );
            self.refuse(DisconnectReason::IdleTimeout.into(), effects);
        }
    }

    fn refuse(&mut self, refusal: Refusal, effects: &mut impl Effects) {
        up(&self.counters().connections_refused);
        self.end(refusal.reason, refusal.reconnect, effects);
    }

    fn end(&mut self, reason: DisconnectReason, reconnect: bool, effects: &mut impl Effects) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        self.counters().disconnected(reason);
        effects.send(ServerMessage::Disconnect { reason, reconnect });
        effects.close(reason.close_code(), reason.close_text());
        self.leave(effects);
    }

    /// Nothing is said but the close: a client that sends without end would not read it.
    fn flooded(&mut self, effects: &mut impl Effects) {
        if !matches!(self.phase, Phase::Ended) {
            effects.close(1008, "Too many messages");
            self.leave(effects);
        }
    }

    fn gone(&mut self, effects: &mut impl Effects) {
        self.leave(effects);
    }

    /// Ends without a word to the client: streams are left, the application hears of it.
    fn leave(&mut self, effects: &mut impl Effects) {
        let phase = std::mem::replace(&mut self.phase, Phase::Ended);
        if matches!(phase, Phase::Connecting { .. }) {
            self.context.mailbox.node.answered.fetch_add(1, Relaxed);
        }
        self.waiting = None;
        let mut subscriptions = std::mem::take(&mut self.subscriptions);
        for subscription in &mut subscriptions {
            subscription.unfollow_all(effects);
            down(&self.counters().subscriptions);
        }
        if matches!(phase, Phase::Open(_)) {
            effects.disconnected(&self.context, subscriptions);
        }
    }

    // Commands.

    fn frame(
        &mut self,
        command: Result<ClientCommand<'_>, CommandError>,
        effects: &mut impl Effects,
    ) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        match command {
            Ok(command) => {
                up(&self.counters().commands);
                if self.is_idle() {
                    self.command(command, effects);
                    self.run_waiting(effects);
                } else {
                    let waiting = self.waiting.get_or_insert_default();
                    waiting.bytes += command.len_bytes();
                    waiting.commands.push_back(command.into_owned());
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Bad input is counted and ignored.
    fn failed(&self, why: &dyn std::fmt::Display) {
        up(&self.counters().commands_failed);
        tracing::debug!(connection = self.context.id().get(), %why, "frame ignored");
    }

    fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Open(Busy::No))
    }

    fn set_busy(&mut self, busy: Busy) {
        if let Phase::Open(now) = &mut self.phase {
            *now = busy;
        }
    }

    fn run_waiting(&mut self, effects: &mut impl Effects) {
        while self.is_idle() {
            let Some(waiting) = &mut self.waiting else {
                return;
            };
            let Some(command) = waiting.commands.pop_front() else {
                self.waiting = None;
                return;
            };
            waiting.bytes -= command.len_bytes();
            self.command(command, effects);
        }
    }

    fn command(&mut self, command: ClientCommand<'_>, effects: &mut impl Effects) {
        let _span = span::of(self.context.id(), &command).entered();
        match command {
            ClientCommand::Subscribe { identifier } => self.subscribe(identifier, effects),
            ClientCommand::Unsubscribe { identifier } => self.unsubscribe(&identifier, effects),
            ClientCommand::Message { identifier, data } => {
                self.message(&identifier, &data, effects);
            }
            ClientCommand::Ping => effects.send(ServerMessage::Pong),
            ClientCommand::Pong => {}
        }
    }

    fn find(&self, identifier: &str) -> Option<usize> {
        self.subscriptions
            .iter()
            .position(|subscription| subscription.identifier().as_str() == identifier)
    }

    fn subscribe(&mut self, identifier: Cow<'_, str>, effects: &mut impl Effects) {
        if self.find(&identifier).is_some() {
            // Clients repeat a subscribe until they see it confirmed: silence would make them go on for ever.
            effects.send(ServerMessage::Confirm {
                identifier: &identifier,
            });
            return;
        }
        let config = self.config();
        if self.subscriptions.len() >= config.subscriptions_max
            || identifier.len() > config.identifier_bytes_max
        {
            tracing::debug!(
                connection = self.context.id().get(),
                subscriptions = self.subscriptions.len(),
                identifier_bytes = identifier.len(),
                "subscription over its bound, rejected"
            );
            up(&self.counters().subscriptions_over_bounds);
            self.reject(&identifier, effects);
            return;
        }
        let identifier = effects.identifier(&identifier);
        let ticket = self.next_ticket();
        let call = Call::Subscribe {
            connection: &self.context,
            identifier: &identifier,
        };
        let answer = effects.call(ticket, call);
        self.set_busy(Busy::Subscribe(identifier));
        if let Some(answer) = answer {
            self.answered(answer, effects);
        }
    }

    fn reject(&self, identifier: &str, effects: &mut impl Effects) {
        up(&self.counters().subscriptions_rejected);
        effects.send(ServerMessage::Reject { identifier });
    }

    fn unsubscribe(&mut self, identifier: &str, effects: &mut impl Effects) {
        let Some(at) = self.find(identifier) else {
            self.failed(&"unsubscribe from what is not subscribed");
            return;
        };
        let mut subscription = self.subscriptions.remove(at);
        if self.subscriptions.is_empty() {
            self.subscriptions = Vec::new();
        }
        down(&self.counters().subscriptions);
        subscription.unfollow_all(effects);
        let ticket = self.next_ticket();
        let call = Call::Unsubscribe {
            connection: &self.context,
            subscription: &subscription,
        };
        if effects.call(ticket, call).is_none() {
            self.set_busy(Busy::Command(subscription.identifier().clone()));
        }
    }

    fn message(&mut self, identifier: &str, data: &str, effects: &mut impl Effects) {
        let Some(at) = self.find(identifier) else {
            self.failed(&"message to what is not subscribed");
            return;
        };
        let ticket = self.next_ticket();
        let subscription = &self.subscriptions[at];
        let call = Call::Perform {
            connection: &self.context,
            subscription,
            data,
        };
        match effects.call(ticket, call) {
            Some(Answer::Done) => {}
            Some(answer) => {
                self.set_busy(Busy::Command(self.subscriptions[at].identifier().clone()));
                self.answered(answer, effects);
            }
            None => {
                let identifier = self.subscriptions[at].identifier().clone();
                self.set_busy(Busy::Command(identifier));
            }
        }
    }

    // Answers.

    fn answered(&mut self, answer: Answer, effects: &mut impl Effects) {
        match &mut self.phase {
            Phase::Ended => {}
            Phase::Connecting { .. } => self.answered_connect(answer, effects),
            Phase::Open(busy) => match std::mem::replace(busy, Busy::No) {
                Busy::Subscribe(identifier) => {
                    self.answered_subscribe(identifier, answer, effects);
                }
                Busy::Command(identifier) => match answer {
                    Answer::Done => {}
                    Answer::Changed(changes) => self.change(&identifier, &changes, effects),
                    _ => up(&self.counters().calls_failed),
                },
                // Not owed: a controller that answers twice.
                other => *busy = other,
            },
        }
    }

    fn answered_connect(&mut self, answer: Answer, effects: &mut impl Effects) {
        match answer {
            Answer::Connected(identifiers) => {
                self.context.mailbox.node.answered.fetch_add(1, Relaxed);
                self.phase = Phase::Open(Busy::No);
                effects.opened(*identifiers);
                effects.send(ServerMessage::Welcome);
            }
            Answer::Refused(refusal) => self.refuse(refusal, effects),
            _ => {
                // Nothing is said: the client may try again, as after any failure of a server.
                up(&self.counters().calls_failed);
                effects.close(1011, "");
                self.leave(effects);
            }
        }
    }

    fn answered_subscribe(
        &mut self,
        identifier: Identifier,
        answer: Answer,
        effects: &mut impl Effects,
    ) {
        match answer {
            Answer::Confirmed(confirmation) => {
                self.confirm(identifier, *confirmation, effects);
            }
            Answer::Rejected => self.reject(identifier.as_str(), effects),
            Answer::Ignored => self.failed(&"subscribe to a channel that does not exist"),
            _ => up(&self.counters().calls_failed),
        }
    }

    /// Streams first, then the confirmation: what is broadcast after the client knows will reach it.
    fn confirm(
        &mut self,
        identifier: Identifier,
        confirmation: Confirmation,
        effects: &mut impl Effects,
    ) {
        let Confirmation {
            streams,
            state,
            route,
        } = confirmation;
        let mut subscription = Subscribed::new(identifier.clone(), state, route);
        let pending = subscription.follow_all(self.ticket, streams, effects);
        up(&self.counters().subscriptions);
        // Most connections have one subscription or two: no room is kept for more.
        self.subscriptions.reserve_exact(1);
        self.subscriptions.push(subscription);
        if pending == 0 {
            effects.send(ServerMessage::Confirm {
                identifier: identifier.as_str(),
            });
        } else {
            self.set_busy(Busy::Follow(identifier, pending));
        }
    }

    fn change(&mut self, identifier: &Identifier, changes: &Changes, effects: &mut impl Effects) {
        let ticket = self.ticket;
        let Some(at) = self.find(identifier.as_str()) else {
            return;
        };
        let subscription = &mut self.subscriptions[at];
        if changes.unfollow_all {
            subscription.unfollow_all(effects);
        }
        for stream in &changes.unfollow {
            subscription.unfollow(stream, effects);
        }
        let follow: Vec<StreamName> = changes.follow.clone();
        let pending = subscription.follow_all(ticket, follow, effects);
        if pending > 0 {
            self.set_busy(Busy::Change(pending));
        }
    }

    fn followed(&mut self, followed: bool, effects: &mut impl Effects) {
        let Phase::Open(busy) = &mut self.phase else {
            return;
        };
        match busy {
            Busy::Change(pending) => {
                *pending -= 1;
                if *pending == 0 {
                    *busy = Busy::No;
                }
            }
            Busy::Follow(..) if !followed => {
                // As when the application fails: nothing is sent, and the client will ask again.
                let Busy::Follow(identifier, _) = std::mem::replace(busy, Busy::No) else {
                    return;
                };
                self.ticket = Ticket(self.ticket.0.wrapping_add(1));
                self.drop_subscription(&identifier, effects);
            }
            Busy::Follow(_, pending) => {
                *pending -= 1;
                if *pending > 0 {
                    return;
                }
                if let Busy::Follow(identifier, _) = std::mem::replace(busy, Busy::No) {
                    effects.send(ServerMessage::Confirm {
                        identifier: identifier.as_str(),
                    });
                }
            }
            _ => {}
        }
    }

    fn drop_subscription(&mut self, identifier: &Identifier, effects: &mut impl Effects) {
        up(&self.counters().calls_failed);
        if let Some(at) = self.find(identifier.as_str()) {
            let mut subscription = self.subscriptions.remove(at);
            subscription.unfollow_all(effects);
            down(&self.counters().subscriptions);
        }
    }
}
