//! What others post to a shard: messages for one connection, broadcasts, orders to end.

use std::time::Instant;

use bytes::Bytes;
use sinew_protocol::DisconnectReason;
use sinew_streams::StreamName;

use super::forms::{Forms, Message};
use super::{Key, Shard};
use crate::connection::Event;
use crate::context::ConnectionId;
use crate::inbox::Parcel;
use crate::mailbox::{Mail, Mailbox};
use crate::statistics::{add, up};

impl<P> Shard<P> {
    /// Takes what others posted. False when there was nothing.
    pub fn take_mail(&mut self, now: Instant) -> bool {
        let leaving = self.leaving(now);
        let mut parcels = std::mem::take(&mut self.parcels);
        self.inbox.take(&mut parcels);
        let departing = self.departing.len();
        let any = !parcels.is_empty() || !leaving.is_empty();
        for parcel in parcels.drain(..) {
            match parcel {
                Parcel::Mail { key, id, mail } => self.mail(now, key, id, mail),
                Parcel::Broadcast(stream, payload) => self.broadcast(&stream, &payload),
                Parcel::DisconnectIf(whose, reconnect) => {
                    let reason = DisconnectReason::Remote;
                    self.disconnect_all(now, reason, reconnect, |mailbox| {
                        mailbox.identifiers.get().is_some_and(|known| whose(known))
                    });
                }
                Parcel::Restart(before) => {
                    let reason = DisconnectReason::ServerRestart;
                    self.disconnect_all(now, reason, reason.reconnect(), |mailbox| {
                        mailbox.id < before
                    });
                }
                Parcel::Depart(window) => self.depart(now, window),
            }
        }
        for key in leaving {
            let reason = DisconnectReason::ServerRestart;
            self.disconnect(now, key, reason, reason.reconnect());
        }
        if parcels.capacity() <= 4096 {
            self.parcels = parcels;
        }
        // Those that had left before the inbox was emptied: nothing more can come for them.
        for key in self.departing.drain(..departing).collect::<Vec<_>>() {
            self.forget(now, key);
        }
        any
    }

    fn mail(&mut self, now: Instant, key: Key, id: ConnectionId, mail: Mail) {
        let Some(link) = self.links.get_mut(key.0) else {
            return;
        };
        if link.mailbox.id != id {
            return;
        }
        match mail {
            Mail::Frame(frame) => {
                link.mailbox.taken(frame.as_bytes().len());
                let counters = &self.inbox.counters;
                let compressed = (link.deflate && link.closing.is_none())
                    .then(|| self.compressor.text(frame.payload(), counters))
                    .flatten();
                self.push_frame(key, compressed.unwrap_or_else(|| frame.into_bytes()));
            }
            Mail::Answer(ticket, answer) => {
                self.handle(now, key, Event::Answered(ticket, answer));
                self.look_again(key);
            }
            Mail::Followed(ticket, followed) => {
                self.handle(now, key, Event::Followed(ticket, followed));
                self.look_again(key);
            }
            Mail::Disconnect(reason, reconnect) => {
                if reason == DisconnectReason::TooSlow {
                    up(&self.inbox.counters.slow_connections);
                }
                self.handle(now, key, Event::Disconnect { reason, reconnect });
            }
        }
    }

    /// An answer may have ended a congestion: the driver looks whether to read on.
    fn look_again(&mut self, key: Key) {
        if let Some(mut visit) = self.visit(key) {
            visit.line.performer.mark_dirty();
        }
    }

    fn broadcast(&mut self, stream: &StreamName, payload: &Bytes) {
        let hub = std::mem::take(&mut self.hub);
        let mut deliveries = 0;
        let mut message = Message::new(payload, &self.compressor, self.deflating > 0);
        hub.for_each(stream, |identifier, members| {
            // Encoded once per identifier, whatever the number of members.
            let mut forms = Forms::default();
            for key in members.iter().flatten().copied() {
                let frame = if message.may_be_compressed() && self.has_deflate(key) {
                    let counters = &self.inbox.counters;
                    message.compressed(identifier, &mut forms, &mut self.compressor, counters)
                } else {
                    message.plain(identifier, &mut forms)
                };
                self.push_frame(key, frame);
                deliveries += 1;
            }
        });
        self.hub = hub;
        add(&self.inbox.counters.broadcast_deliveries, deliveries);
    }

    fn has_deflate(&self, key: Key) -> bool {
        self.links.get(key.0).is_some_and(|link| link.deflate)
    }

    /// A data frame for one connection: bounded, and nothing for one that ends.
    pub(super) fn push_frame(&mut self, key: Key, frame: Bytes) {
        let Some(link) = self.links.get_mut(key.0) else {
            return;
        };
        if link.closing.is_some() || link.is_departing {
            return;
        }
        let config = &self.cable.node.config;
        let (frames, bytes) = link.outbox.as_ref().map_or((0, 0), |outbox| outbox.load());
        self.longest_outbox.see(bytes);
        if bytes >= config.outbox_bytes_max || frames >= config.outbox_messages_max {
            up(&self.inbox.counters.slow_connections);
            tracing::debug!(
                connection = link.mailbox.id.get(),
                bytes,
                frames,
                "outgoing queue over its bound, connection cut off"
            );
            if let Some(outbox) = &mut link.outbox {
                outbox.drop_waiting();
            }
            link.mailbox.begin_ending();
            let reason = DisconnectReason::TooSlow;
            let event = Event::Disconnect {
                reason,
                reconnect: reason.reconnect(),
            };
            return self.handle(Instant::now(), key, event);
        }
        let spares = &mut self.spares;
        link.outbox.get_or_insert_with(|| spares.take()).push(frame);
        if !link.is_dirty {
            link.is_dirty = true;
            self.dirty.push(key);
        }
    }

    pub(super) fn disconnect(
        &mut self,
        now: Instant,
        key: Key,
        reason: DisconnectReason,
        reconnect: bool,
    ) {
        if self
            .links
            .get(key.0)
            .is_some_and(|link| link.mailbox.begin_ending())
        {
            self.handle(now, key, Event::Disconnect { reason, reconnect });
        }
    }

    pub(super) fn disconnect_all(
        &mut self,
        now: Instant,
        reason: DisconnectReason,
        reconnect: bool,
        whose: impl Fn(&Mailbox) -> bool,
    ) {
        let numbers: Vec<u32> = self.links.numbers().collect();
        for number in numbers {
            if self
                .links
                .get(number)
                .is_some_and(|link| whose(&link.mailbox))
            {
                self.disconnect(now, Key(number), reason, reconnect);
            }
        }
    }
}
