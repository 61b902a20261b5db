//! The Action Cable server engine: connection state machine, channels, subscriptions, hub
