//! Typed CableReady operations, selectors, batches, and their JSON
