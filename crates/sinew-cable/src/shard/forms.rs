//! A message's frames: plain, and compressed for connections that negotiated it. Each is made at most once, when the
//! first connection needs it.

use bytes::Bytes;
use sinew_protocol::Identifier;
use sinew_websocket::SharedFrame;
use sinew_websocket::deflate::{Compressed, Deflater};

use crate::Config;
use crate::context::{MESSAGE_END, data_frame, with_data_head};
use crate::statistics::{Counters, up};

/// What compresses the messages of a shard, one after the other, and what is worth it.
pub(super) struct Compressor {
    deflater: Deflater,
    bytes_min: usize,
}

impl Compressor {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            deflater: Deflater::new(config.compression_level),
            bytes_min: config.compression_bytes_min,
        }
    }

    /// The compressed frame of a text for one connection; nothing when it is not worth it.
    pub(super) fn text(&mut self, text: &[u8], counters: &Counters) -> Option<Bytes> {
        let compressed = self.compress(&[text], text.len(), counters)?;
        compressed.text_frame(&[]).map(SharedFrame::into_bytes)
    }

    fn compress(
        &mut self,
        parts: &[&[u8]],
        bytes: usize,
        counters: &Counters,
    ) -> Option<Compressed> {
        if bytes < self.bytes_min {
            return None;
        }
        up(&counters.compressions);
        self.deflater.compress(parts)
    }
}

/// A broadcast's message. What all its frames have in common is compressed once, whatever the number of identifiers.
pub(super) struct Message<'a> {
    payload: &'a [u8],
    compressed: Form<Compressed>,
}

/// The frames of a broadcast's message under one identifier.
#[derive(Default)]
pub(super) struct Forms {
    plain: Option<Bytes>,
    compressed: Form<Bytes>,
}

#[derive(Default)]
enum Form<T> {
    /// Nobody has needed it.
    #[default]
    Open,
    Made(T),
    /// It would not be shorter.
    Useless,
}

impl<'a> Message<'a> {
    /// `is_readable`: whether there is any connection that negotiated compression.
    pub(super) fn new(payload: &'a [u8], compressor: &Compressor, is_readable: bool) -> Self {
        let compressed = match is_readable && payload.len() >= compressor.bytes_min {
            true => Form::Open,
            false => Form::Useless,
        };
        Self {
            payload,
            compressed,
        }
    }

    /// Whether it makes a difference to a connection that it negotiated compression.
    pub(super) fn may_be_compressed(&self) -> bool {
        !matches!(self.compressed, Form::Useless)
    }

    /// The frame that everybody can read.
    pub(super) fn plain(&self, identifier: &Identifier, forms: &mut Forms) -> Bytes {
        forms
            .plain
            .get_or_insert_with(|| data_frame(identifier, self.payload).into_bytes())
            .clone()
    }

    /// The frame for a connection that negotiated compression: the plain one, where that is as short.
    pub(super) fn compressed(
        &mut self,
        identifier: &Identifier,
        forms: &mut Forms,
        compressor: &mut Compressor,
        counters: &Counters,
    ) -> Bytes {
        if let Form::Open = forms.compressed {
            forms.compressed = match self.frame(identifier, compressor, counters) {
                Some(frame) => Form::Made(frame.into_bytes()),
                None => Form::Useless,
            };
        }
        match &forms.compressed {
            Form::Made(frame) => frame.clone(),
            _ => self.plain(identifier, forms),
        }
    }

    fn frame(
        &mut self,
        identifier: &Identifier,
        compressor: &mut Compressor,
        counters: &Counters,
    ) -> Option<SharedFrame> {
        if let Form::Open = self.compressed {
            let parts = [self.payload, MESSAGE_END];
            self.compressed = match compressor.compress(&parts, self.payload.len(), counters) {
                Some(compressed) => Form::Made(compressed),
                None => Form::Useless,
            };
        }
        match &self.compressed {
            Form::Made(compressed) => {
                with_data_head(identifier, |head| compressed.text_frame(head))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
