//! The text that is scraped.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::list::{Buckets, Read};
use super::{Kind, METRICS, Metric, Snapshot};

/// All of [`METRICS`] in the text format of OpenMetrics.
pub(super) fn text(snapshot: &Snapshot) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Values(snapshot.clone())));
    let mut written = String::with_capacity(16 * 1024);
    text::encode(&mut written, &registry)?;
    Ok(written)
}

#[derive(Debug)]
struct Values(Snapshot);

impl Collector for Values {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for metric in METRICS {
            let (name, unit) = parts(metric);
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let values = encoder.encode_descriptor(name, metric.meaning, unit.as_ref(), kind)?;
            write(metric, &self.0, values)?;
        }
        Ok(())
    }
}

/// The name without what its unit and its kind add, and the unit.
fn parts(metric: &Metric) -> (&'static str, Option<Unit>) {
    let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
    for (ending, unit) in [("_bytes", Unit::Bytes), ("_seconds", Unit::Seconds)] {
        if let Some(name) = name.strip_suffix(ending) {
            return (name, Some(unit));
        }
    }
    (name, None)
}

fn write(metric: &Metric, snapshot: &Snapshot, mut values: MetricEncoder<'_>) -> fmt::Result {
    let label = metric.label.unwrap_or_default();
    match metric.read {
        Read::Counter(read) => count(&mut values, read(snapshot)),
        Read::Gauge(read) => match read(snapshot) {
            Some(value) => values.encode_gauge(&value),
            None => Ok(()),
        },
        Read::Histogram(read) => histogram(&mut values, &read(snapshot)),
        Read::Counters(read) => {
            for (value, sum) in read(snapshot) {
                count(&mut values.encode_family(&[(label, &*value)])?, sum)?;
            }
            Ok(())
        }
        Read::Gauges(read) => {
            for (value, level) in read(snapshot) {
                let labels = [(label, &*value)];
                values.encode_family(&labels)?.encode_gauge(&level)?;
            }
            Ok(())
        }
        Read::Histograms(read) => {
            for (value, buckets) in read(snapshot) {
                histogram(&mut values.encode_family(&[(label, &*value)])?, &buckets)?;
            }
            Ok(())
        }
    }
}

fn count(values: &mut MetricEncoder<'_>, sum: u64) -> fmt::Result {
    values.encode_counter::<NoLabelSet, _, f64>(&sum, None)
}

fn histogram(values: &mut MetricEncoder<'_>, buckets: &Buckets) -> fmt::Result {
    let bounds = buckets.bounds.iter().map(Duration::as_secs_f64);
    // The encoder adds up the buckets.
    let buckets_with_bounds: Vec<(f64, u64)> = bounds
        .chain([f64::INFINITY])
        .zip(buckets.counts.iter().copied())
        .collect();
    let all = buckets.counts.iter().sum();
    let sum = buckets.sum.as_secs_f64();
    values.encode_histogram::<NoLabelSet>(sum, all, &buckets_with_bounds, None)
}
