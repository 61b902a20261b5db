//! Connections to one server, each of which comes back by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::time::{Instant, timeout_at};

use crate::dial::Dial;
use crate::error::RedisError;
use crate::settings::RedisSettings;
use crate::status::Board;
use crate::target::Target;
use crate::wire::{Suspicion, Wire, WireState};

/// The times that supervision keeps to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// How long an answer may take.
    pub(crate) command: Duration,
    /// Time between two looks at whether the server answers.
    pub(crate) health: Duration,
}

impl Times {
    pub(crate) fn of(settings: &RedisSettings) -> Self {
        Self {
            command: settings.command_timeout,
            health: settings.health_interval,
        }
    }
}

/// Connections to one server, of which one is enough.
pub(crate) struct Link {
    wires: Vec<Wire>,
    next: AtomicUsize,
    board: Arc<Board>,
    part: u64,
}

impl Link {
    pub(crate) fn new(
        target: Target,
        dial: &Dial,
        settings: &RedisSettings,
        board: &Arc<Board>,
    ) -> Self {
        let count = settings.pool_size.get();
        let part = board.add(count);
        let suspicion = Suspicion::default();
        let wire = |index| {
            let board = Arc::clone(board);
            let (times, suspicion) = (Times::of(settings), Arc::clone(&suspicion));
            let place = (part, index);
            Wire::new(target.clone(), dial.clone(), times, suspicion, board, place)
        };
        let link = Self {
            wires: (0..count).map(wire).collect(),
            next: AtomicUsize::new(0),
            board: Arc::clone(board),
            part,
        };
        link.start();
        link
    }

    /// Begins to connect, if a runtime is there and it was not begun. What began in a runtime
    /// that has ended begins again.
    pub(crate) fn start(&self) {
        for wire in &self.wires {
            wire.start();
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.board.part(self.part).is_available()
    }

    /// A connection that is up; one is waited for only while nobody knows whether there is one.
    async fn connection(&self) -> Result<(&Wire, MultiplexedConnection), RedisError> {
        self.start();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut undecided = None;
        let mut away = None;
        for step in 0..self.wires.len() {
            let wire = &self.wires[first.wrapping_add(step) % self.wires.len()];
            match wire.state() {
                WireState::Up(connection) => return Ok((wire, connection)),
                WireState::Connecting => undecided = Some(wire),
                WireState::Away(error) => away = Some(error),
            }
        }
        if let Some(wire) = undecided {
            return Ok((wire, wire.decided().await?));
        }
        Err(away.unwrap_or_else(|| RedisError::unavailable("not connected")))
    }

    async fn connection_until(
        &self,
        deadline: Instant,
    ) -> Result<(&Wire, MultiplexedConnection), RedisError> {
        let connection = timeout_at(deadline, self.connection()).await;
        connection.unwrap_or_else(|_| Err(RedisError::unavailable("no connection in time")))
    }

    /// The answer to one command.
    pub(crate) async fn send(&self, command: &Cmd, deadline: Instant) -> Result<Value, RedisError> {
        let (wire, mut connection) = self.connection_until(deadline).await?;
        let answer = connection.send_packed_command(command);
        match timeout_at(deadline, answer).await {
            Ok(answer) => wire.judge(answer),
            Err(_) => Err(wire.late()),
        }
    }

    /// The answers to several commands, in their order and in one round trip.
    pub(crate) async fn send_all(
        &self,
        commands: &[&Cmd],
        deadline: Instant,
    ) -> Vec<Result<Value, RedisError>> {
        let all = |error: RedisError| commands.iter().map(|_| Err(error.clone())).collect();
        if commands.is_empty() {
            return Vec::new();
        }
        let (wire, mut connection) = match self.connection_until(deadline).await {
            Ok(found) => found,
            Err(error) => return all(error),
        };
        let mut pipeline = redis::Pipeline::with_capacity(commands.len());
        for command in commands {
            pipeline.add_command((*command).clone());
        }
        let answers = connection.send_packed_commands(&pipeline, 0, commands.len());
        match timeout_at(deadline, answers).await {
            Ok(Ok(answers)) if answers.len() == commands.len() => {
                answers.into_iter().map(|it| wire.judge(Ok(it))).collect()
            }
            Ok(Ok(_)) => all(RedisError::unavailable("answers are missing").sent()),
            Ok(Err(error)) => match wire.judge(Err(error)) {
                Err(error) => all(error),
                Ok(_) => Vec::new(),
            },
            Err(_) => all(wire.late()),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.board.remove(self.part);
    }
}
