//! What a connection wants done, done: on its shard's hub, on the application, on its outbox.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use sinew_protocol::{Identifier, ServerMessage};
use sinew_streams::StreamName;
use sinew_websocket::{Opcode, frame_into};

use super::forms::Compressor;
use super::hub::Hub;
use super::names::Names;
use super::outbox::Spares;
use super::{Closing, Key, Outbox, Seat};
use crate::cable::Inner;
use crate::connection::{Effects, Followed, Subscribed, Ticket};
use crate::controller::{Answer, Call, Replies};
use crate::follows::{Joined, ShardNumber};
use crate::mailbox::{Mail, Mailbox};
use crate::{ConnectionContext, ConnectionIdentifiers};

/// Room for the frame of a short message of the protocol, such as a confirmation.
const SHORT_FRAME_BYTES: usize = 160;

pub(super) struct Performer<'a> {
    pub(super) cable: &'a Arc<Inner>,
    pub(super) number: ShardNumber,
    pub(super) key: Key,
    pub(super) mailbox: &'a Arc<Mailbox>,
    pub(super) outbox: &'a mut Option<Box<Outbox>>,
    pub(super) closing: &'a mut Option<Box<Closing>>,
    pub(super) is_dirty: &'a mut bool,
    pub(super) dirty: &'a mut Vec<Key>,
    pub(super) hub: &'a mut Hub,
    pub(super) spares: &'a mut Spares,
    pub(super) names: &'a mut Names,
    /// For a connection that negotiated compression.
    pub(super) compressor: Option<&'a mut Compressor>,
}

impl Performer<'_> {
    /// Adds a frame, whatever waits already: what a connection says for itself is bounded by what it is asked.
    pub(super) fn write(&mut self, frame: Bytes) {
        let spares = &mut *self.spares;
        self.outbox.get_or_insert_with(|| spares.take()).push(frame);
        self.mark_dirty();
    }

    /// Puts the answer to the handshake where frames will follow it.
    pub(super) fn write_head(&mut self, head: Bytes) {
        let spares = &mut *self.spares;
        self.outbox
            .get_or_insert_with(|| spares.take())
            .push_head(head);
        self.mark_dirty();
    }

    pub(super) fn stop(&mut self) {
        self.mailbox.begin_ending();
        self.closing.get_or_insert_with(|| {
            Box::new(Closing {
                code: 1000,
                text: "",
            })
        });
    }

    pub(super) fn mark_dirty(&mut self) {
        if !*self.is_dirty {
            *self.is_dirty = true;
            self.dirty.push(self.key);
        }
    }
}

impl Effects for Performer<'_> {
    fn send(&mut self, message: ServerMessage<'_>) {
        if self.closing.is_some() {
            return;
        }
        let mut text = Vec::with_capacity(SHORT_FRAME_BYTES);
        message.write(&mut text);
        if let Some(compressor) = &mut self.compressor
            && let Some(frame) = compressor.text(&text, self.mailbox.counters())
        {
            return self.write(frame);
        }
        let mut frame = Vec::with_capacity(text.len() + 10);
        frame_into(&mut frame, Opcode::Text, &text);
        self.write(frame.into());
    }

    fn close(&mut self, code: u16, text: &'static str) {
        if self.closing.is_none() {
            *self.closing = Some(Box::new(Closing { code, text }));
            self.mailbox.begin_ending();
            self.mark_dirty();
        }
    }

    fn call(&mut self, ticket: Ticket, call: Call<'_>) -> Option<Answer> {
        let replies = Replies {
            mailbox: self.mailbox,
            ticket,
        };
        let controller = &self.cable.controller;
        // A panic in the application is that call's failure, not the connection's end.
        catch_unwind(AssertUnwindSafe(|| controller.handle(call, &replies))).unwrap_or_else(|_| {
            tracing::error!(
                connection = self.mailbox.id.get(),
                "the application panicked in a call"
            );
            Some(Answer::Failed)
        })
    }

    fn opened(&mut self, identifiers: ConnectionIdentifiers) {
        // Set once: the connection takes one answer to its connect.
        let _ = self.mailbox.identifiers.set(identifiers);
    }

    fn identifier(&mut self, text: &str) -> Identifier {
        self.names.identifier(text)
    }

    fn follow(
        &mut self,
        ticket: Ticket,
        identifier: &Identifier,
        stream: &mut StreamName,
    ) -> Followed {
        let (seat, _) = self.hub.join(stream, identifier, self.key);
        let Self { cable, number, .. } = self;
        match cable.follows.join(&*cable.node.streams, stream, *number) {
            Joined::Followed => Followed::Now(seat),
            Joined::Following => {
                wait_for_stream(cable, self.mailbox, ticket, stream.clone());
                Followed::Later(seat)
            }
        }
    }

    fn unfollow(&mut self, identifier: &Identifier, stream: &StreamName, seat: Seat) {
        if self.hub.leave(stream, identifier, seat) {
            let cable = self.cable;
            cable
                .follows
                .leave(&*cable.node.streams, stream, self.number);
        }
    }

    fn disconnected(&mut self, connection: &ConnectionContext, subscriptions: Vec<Subscribed>) {
        let controller = &self.cable.controller;
        if catch_unwind(AssertUnwindSafe(|| {
            controller.disconnected(connection, subscriptions);
        }))
        .is_err()
        {
            tracing::error!(
                connection = connection.id().get(),
                "the application panicked when a connection ended"
            );
        }
    }
}

/// Only streams of more than one process are not followed at once.
fn wait_for_stream(cable: &Arc<Inner>, mailbox: &Arc<Mailbox>, ticket: Ticket, stream: StreamName) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        tracing::error!("following a stream of other nodes needs a tokio runtime");
        mailbox.push(Mail::Followed(ticket, false));
        return;
    };
    let (cable, mailbox) = (cable.clone(), mailbox.clone());
    runtime.spawn(async move {
        let followed = match cable.follows.wait(&*cable.node.streams, &stream) {
            None => false,
            Some(following) => match following.await {
                Ok(()) => {
                    cable.follows.followed(&stream);
                    true
                }
                Err(error) => {
                    if cable.follows.is_followed(&stream) {
                        tracing::warn!(%stream, %error, "stream cannot be followed");
                    }
                    false
                }
            },
        };
        mailbox.push(Mail::Followed(ticket, followed));
    });
}
