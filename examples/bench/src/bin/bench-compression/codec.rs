//! The codec alone: what a message becomes, how long that takes, and what it holds.

use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use sinew_websocket::deflate::{Deflater, Inflater};
use sinew_websocket::{Endpoint, Limits, Role, SharedFrame};

use crate::{cpu, markup, median};

const SIZES: [usize; 8] = [256, 512, 1024, 1400, 2000, 5000, 20_000, 100_000];
const LEVELS: [u32; 4] = [1, 2, 4, 6];
const BATCHES: usize = 9;
const BATCH_TIME: Duration = Duration::from_millis(15);
const CODECS: usize = 64;

/// What stands before the message, under one identifier.
const HEAD: &[u8] = br#"{"identifier":"{\"channel\":\"StimulusReflex::Channel\",\"version\":\"3.5.5\"}","message":"#;

pub(crate) fn print() {
    println!(
        "| message | level | frame, bytes | of the plain one | compress µs | again under another identifier µs | plain frame µs | inflate µs |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    for bytes in SIZES {
        let messages = markup::morphs(bytes);
        let text = |at: usize| messages[at % messages.len()].get().as_bytes();
        let plain_bytes = SharedFrame::text_from_parts(&[HEAD, text(0), b"}"])
            .as_bytes()
            .len();
        let plain = time(|at| {
            drop(black_box(SharedFrame::text_from_parts(&[
                HEAD,
                text(at),
                b"}",
            ])))
        });
        for level in LEVELS {
            let mut deflater = Deflater::new(level);
            let forms: Vec<_> = (0..messages.len())
                .filter_map(|at| deflater.compress(&[text(at), b"}"]))
                .collect();
            let frames: Vec<_> = forms
                .iter()
                .filter_map(|form| form.text_frame(&[HEAD]))
                .collect();
            if frames.len() < messages.len() {
                println!("| {bytes} | {level} | not shorter | | | | {plain:.2} | |");
                continue;
            }
            let frame_bytes = median(
                frames
                    .iter()
                    .map(|frame| frame.as_bytes().len() as f64)
                    .collect(),
            );
            let compress = time(|at| drop(black_box(deflater.compress(&[text(at), b"}"]))));
            let again = time(|at| drop(black_box(forms[at % forms.len()].text_frame(&[HEAD]))));
            let mut inflater = Inflater::default();
            let mut browser = Endpoint::new(Role::Client, &Limits::default()).with_deflate();
            let mut input = Vec::new();
            let inflate = time(|at| {
                input.clear();
                input.extend_from_slice(frames[at % frames.len()].as_bytes());
                browser.receive_with(&mut inflater, &mut input, |effect| drop(black_box(effect)));
            });
            let share = frame_bytes / plain_bytes as f64;
            println!(
                "| {bytes} | {level} | {frame_bytes:.0} | {share:.2} | {compress:.1} | {again:.2} | {plain:.2} | {inflate:.1} |"
            );
        }
    }
    println!();
}

/// The memory of a codec of a shard, once it was used.
pub(crate) fn print_memory() -> Result<()> {
    let messages = markup::morphs(20_000);
    let before = cpu::resident_bytes()?;
    let mut deflaters: Vec<_> = (0..CODECS).map(|_| Deflater::default()).collect();
    let mut frames = Vec::new();
    for deflater in &mut deflaters {
        let form = deflater.compress(&[messages[0].get().as_bytes()]);
        frames.extend(form.and_then(|form| form.text_frame(&[])));
    }
    let between = cpu::resident_bytes()?;
    let mut inflaters: Vec<_> = (0..CODECS).map(|_| Inflater::default()).collect();
    for (inflater, frame) in inflaters.iter_mut().zip(&frames) {
        let mut browser = Endpoint::new(Role::Client, &Limits::default()).with_deflate();
        browser.receive_with(inflater, &mut frame.as_bytes().to_vec(), |effect| {
            drop(black_box(effect))
        });
    }
    let after = cpu::resident_bytes()?;
    let each = |grown: f64| grown / CODECS as f64 / 1024.0;
    println!(
        "Resident memory of a shard that has compressed a message: {:.0} KiB more; that has inflated one: {:.0} KiB more. \
         Of a connection: none, its endpoint has {} bytes either way.\n",
        each(between - before),
        each(after - between),
        size_of::<Endpoint>(),
    );
    drop((deflaters, inflaters));
    Ok(())
}

/// Microseconds on the processor of each step.
fn time(mut step: impl FnMut(usize)) -> f64 {
    let batches = (0..BATCHES).map(|_| {
        let begins = cpu::thread();
        let mut count = 0;
        while cpu::thread() - begins < BATCH_TIME {
            for _ in 0..markup::VARIANTS {
                step(count);
                count += 1;
            }
        }
        (cpu::thread() - begins).as_secs_f64() * 1e6 / count as f64
    });
    median(batches.collect())
}
