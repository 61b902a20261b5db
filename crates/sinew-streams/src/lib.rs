//! Port: a stream's fan-out and its memory; in-process version
