//! How long it takes to cut a root out of a page, the fast way and the slow way.
//!
//! `cargo run --release -p sinew-reflex --example html_cut`
#![allow(clippy::print_stdout, reason = "it is a program that prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use sinew_reflex::html::ways;

fn page(bytes: usize) -> String {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html>\n  <head>\n    <title>Rows</title>\n    <meta charset=\"utf-8\">\n    \
         <script src=\"/client.js\" defer></script>\n  </head>\n  <body>\n    <div id=\"app\" data-controller=\"app\">\n      \
         <h1>Rows</h1>\n      <ul id=\"rows\">\n",
    );
    let mut row = 0;
    while page.len() < bytes {
        row += 1;
        page.push_str(&format!(
            "        <li class=\"row\" id=\"row-{row}\"><input type=\"checkbox\" data-reflex=\"change->Rows#toggle\" data-id=\"{row}\"> \
             <span class=\"title\">Row number {row} &amp; more</span> <a href=\"/rows/{row}\">open</a></li>\n"
        ));
    }
    page.push_str(
        "      </ul>\n      <p id=\"foot\">That is all.</p>\n    </div>\n  </body>\n</html>\n",
    );
    page
}

/// The shortest time of one call, over half a second of calls.
fn time(mut call: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    let end = Instant::now() + Duration::from_millis(500);
    while Instant::now() < end {
        let start = Instant::now();
        call();
        best = best.min(start.elapsed());
    }
    best
}

fn main() {
    let row =
        "<li class=\"row\" id=\"row-7\"><input type=\"checkbox\" checked> <span>Row 7</span></li>";
    let fast = time(|| {
        assert!(ways::selector_morph_by_scan(black_box(row), "#row-7").is_some());
    });
    let slow = time(|| {
        assert!(ways::selector_morph_by_tree(black_box(row), "#row-7").is_ok());
    });
    println!(
        "a row of {} bytes: fast {:.2} us, slow {:.2} us",
        row.len(),
        fast.as_secs_f64() * 1e6,
        slow.as_secs_f64() * 1e6
    );
    println!("bytes selector fast_us slow_us");
    for bytes in [10_000, 85_000] {
        let page = page(bytes);
        for selector in ["body", "#app", "#rows", "#foot"] {
            let fast = time(|| {
                let roots = ways::page_roots_by_scan(black_box(&page), &[selector]);
                assert_eq!(roots.expect("the page is tidy").len(), 1);
            });
            let slow = time(|| {
                let roots = ways::page_roots_by_tree(black_box(&page), &[selector]);
                assert_eq!(roots.expect("a known selector").len(), 1);
            });
            println!(
                "{} {selector} {:.1} {:.1}",
                page.len(),
                fast.as_secs_f64() * 1e6,
                slow.as_secs_f64() * 1e6
            );
        }
    }
}
