//! The nodes of a cluster, and which of them has which key.

mod slots;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use redis::{Cmd, Value};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};

pub(crate) use self::slots::key_of;
use self::slots::{SlotMap, slot_of};
use crate::backoff::{Backoff, chance};
use crate::dial::{Dial, Endpoint};
use crate::error::RedisError;
use crate::link::Link;
use crate::settings::RedisSettings;
use crate::status::{Board, RedisStatus};
use crate::target::Target;
use crate::url::Address;

/// How often a command is sent on to another node before it fails.
const REDIRECTS_MAX: usize = 8;

/// The pause before a command is sent again to a cluster that is busy with itself.
const PAUSE: Duration = Duration::from_millis(25);

/// Primaries of a cluster. More are not connected to.
const NODES_MAX: usize = 1000;

/// What is known of a cluster.
pub(crate) struct Cluster {
    seeds: Vec<Address>,
    dial: Dial,
    settings: RedisSettings,
    board: Arc<Board>,
    /// Of the map itself on the board.
    part: u64,
    map: watch::Sender<Known>,
    links: Mutex<HashMap<Address, Arc<Link>>>,
    /// Counts the reasons to look at the map again.
    doubt: watch::Sender<u64>,
    keeper: Mutex<Option<AbortHandle>>,
}

#[derive(Clone)]
enum Known {
    NotYet,
    Map(Arc<SlotMap>),
    Failed(RedisError),
}

impl Cluster {
    pub(crate) fn new(
        seeds: Vec<Address>,
        dial: &Dial,
        settings: &RedisSettings,
        board: &Arc<Board>,
    ) -> Arc<Self> {
        let cluster = Arc::new(Self {
            seeds,
            dial: dial.clone(),
            settings: settings.clone(),
            board: Arc::clone(board),
            part: board.add(1),
            map: watch::Sender::new(Known::NotYet),
            links: Mutex::default(),
            doubt: watch::Sender::new(0),
            keeper: Mutex::default(),
        });
        cluster.start();
        cluster
    }

    /// Begins to look for the nodes, if a runtime is there and it was not begun.
    fn start(self: &Arc<Self>) {
        let mut keeper = self.keeper.lock();
        if keeper.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let task = runtime.spawn(keep(Arc::downgrade(self), self.doubt.subscribe()));
            *keeper = Some(task.abort_handle());
        }
    }

    /// A node, or one of those that the URL names.
    pub(crate) fn any_address(&self) -> Address {
        let links = self.links.lock();
        let up = links.iter().filter(|(_, link)| link.is_up());
        let up: Vec<_> = up.map(|(address, _)| address).collect();
        let found = one_of(&up).copied().or_else(|| one_of(&self.seeds));
        found.expect("a URL names a host").clone()
    }

    fn link(&self, address: &Address) -> Arc<Link> {
        let mut links = self.links.lock();
        let link = links.entry(address.clone()).or_insert_with(|| {
            let target = Target::Fixed(Endpoint::Tcp(address.clone()));
            Arc::new(Link::new(target, &self.dial, &self.settings, &self.board))
        });
        Arc::clone(link)
    }

    fn doubt(&self) {
        self.doubt
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    async fn map(self: &Arc<Self>, deadline: Instant) -> Result<Arc<SlotMap>, RedisError> {
        self.start();
        let mut known = self.map.subscribe();
        let decided = known.wait_for(|known| !matches!(known, Known::NotYet));
        match timeout_at(deadline, decided).await {
            Ok(Ok(known)) => match &*known {
                Known::Map(map) => Ok(Arc::clone(map)),
                Known::Failed(error) => Err(error.clone()),
                Known::NotYet => Err(RedisError::unavailable("not connected")),
            },
            _ => Err(RedisError::unavailable("no node of the cluster in time")),
        }
    }

    /// Who has the key; without a key, anybody.
    async fn owner(
        self: &Arc<Self>,
        key: Option<&[u8]>,
        deadline: Instant,
    ) -> Result<Arc<Link>, RedisError> {
        let map = self.map(deadline).await?;
        let Some(key) = key else {
            let links: Vec<_> = map.primaries().map(|it| self.link(it)).collect();
            let up: Vec<_> = links.iter().filter(|link| link.is_up()).collect();
            let found = one_of(&up).copied().or(links.first()).cloned();
            return found.ok_or_else(|| RedisError::unavailable("the cluster has no nodes"));
        };
        match map.owner(slot_of(key)) {
            Some(address) => Ok(self.link(address)),
            None => {
                self.doubt();
                Err(RedisError::unavailable("nobody has the slot of this key"))
            }
        }
    }

    /// One link to each primary.
    pub(crate) async fn primaries(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Result<Vec<Arc<Link>>, RedisError> {
        let map = self.map(deadline).await?;
        Ok(map.primaries().map(|address| self.link(address)).collect())
    }

    /// The answer to one command, from whoever has its key.
    pub(crate) async fn send(
        self: &Arc<Self>,
        command: &Cmd,
        deadline: Instant,
    ) -> Result<Value, RedisError> {
        let link = self.owner(key_of(command), deadline).await?;
        let answer = link.send(command, deadline).await;
        self.follow(command, link, answer, deadline).await
    }

    /// The answers to several commands, in their order: one round trip to each node at a time.
    pub(crate) async fn send_all(
        self: &Arc<Self>,
        commands: &[&Cmd],
        deadline: Instant,
    ) -> Vec<Result<Value, RedisError>> {
        let mut answers: Vec<_> = (0..commands.len())
            .map(|_| Err(RedisError::unavailable("not sent")))
            .collect();
        let mut groups: Vec<(Arc<Link>, Vec<usize>)> = Vec::new();
        for (index, command) in commands.iter().enumerate() {
            match self.owner(key_of(command), deadline).await {
                Err(error) => answers[index] = Err(error),
                Ok(link) => match groups.iter_mut().find(|(it, _)| Arc::ptr_eq(it, &link)) {
                    Some((_, group)) => group.push(index),
                    None => groups.push((link, vec![index])),
                },
            }
        }
        let sent = groups.iter().map(|(link, group)| async move {
            let group_commands: Vec<_> = group.iter().map(|index| commands[*index]).collect();
            link.send_all(&group_commands, deadline).await
        });
        for ((link, group), sent) in groups.iter().zip(join_all(sent).await) {
            for (index, answer) in group.iter().zip(sent) {
                let (command, link) = (commands[*index], Arc::clone(link));
                answers[*index] = self.follow(command, link, answer, deadline).await;
            }
        }
        answers
    }

    /// Sends a command on for as long as the nodes say that another one has its key.
    async fn follow(
        self: &Arc<Self>,
        command: &Cmd,
        mut link: Arc<Link>,
        mut answer: Result<Value, RedisError>,
        deadline: Instant,
    ) -> Result<Value, RedisError> {
        for _ in 0..REDIRECTS_MAX {
            let Err(error) = &answer else {
                return answer;
            };
            let redirect = Redirect::of(error);
            if redirect.is_some() || error.is_retryable() {
                self.doubt();
            }
            answer = match redirect {
                None => return answer,
                Some(Redirect::Moved(to)) => {
                    link = self.link(&self.seen_from(&link, to));
                    link.send(command, deadline).await
                }
                Some(Redirect::Ask(to)) => {
                    link = self.link(&self.seen_from(&link, to));
                    let asking = redis::cmd("ASKING");
                    let mut answers = link.send_all(&[&asking, command], deadline).await;
                    let missing = || Err(RedisError::unavailable("answers are missing").sent());
                    answers.pop().unwrap_or_else(missing)
                }
                Some(Redirect::Again) => {
                    if Instant::now() + PAUSE >= deadline {
                        return answer;
                    }
                    sleep(PAUSE).await;
                    link = self.owner(key_of(command), deadline).await?;
                    link.send(command, deadline).await
                }
            };
        }
        answer
    }

    /// A node that is told not to say where nodes are names their ports only: they are where
    /// the node itself was asked.
    fn seen_from(&self, answered_by: &Arc<Link>, mut address: Address) -> Address {
        if slots::is_unknown(&address.host) {
            let links = self.links.lock();
            let mut links = links.iter();
            if let Some((known, _)) = links.find(|(_, link)| Arc::ptr_eq(link, answered_by)) {
                address.host.clone_from(&known.host);
            }
        }
        address
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.get_mut().take() {
            keeper.abort();
        }
        self.board.remove(self.part);
    }
}

/// One of them by chance.
fn one_of<T>(all: &[T]) -> Option<&T> {
    let at = chance() * all.len() as f64;
    all.get(at as usize)
}

/// Where a node sends a command.
enum Redirect {
    /// For good.
    Moved(Address),
    /// For this once: the slot is being moved.
    Ask(Address),
    /// Nowhere yet.
    Again,
}

impl Redirect {
    fn of(error: &RedisError) -> Option<Self> {
        match error.code()? {
            "MOVED" => Some(Self::Moved(redirect_address(error)?)),
            "ASK" => Some(Self::Ask(redirect_address(error)?)),
            "TRYAGAIN" | "CLUSTERDOWN" => Some(Self::Again),
            _ => None,
        }
    }
}

/// `3999 127.0.0.1:6381`: the slot, and who has it; `3999 :6381` of one that does not say where.
fn redirect_address(error: &RedisError) -> Option<Address> {
    let (host, port) = error.server_detail()?.split(' ').nth(1)?.rsplit_once(':')?;
    Some(Address {
        host: host.to_owned(),
        port: port.parse().ok()?,
    })
}

/// Keeps the map up to date for as long as somebody has the cluster.
async fn keep(cluster: std::sync::Weak<Cluster>, mut doubt: watch::Receiver<u64>) {
    let mut backoff = Backoff::default();
    loop {
        let Some(it) = cluster.upgrade() else {
            return;
        };
        doubt.borrow_and_update();
        let found = it.look().await;
        let wait = match found {
            Ok(map) => {
                let is_complete = map.is_complete();
                it.learn(map);
                if is_complete {
                    backoff.reset();
                    it.board.report(it.part, 0, RedisStatus::Available, "");
                    it.settings.health_interval
                } else {
                    let why = "some slots have no node";
                    it.board.report(it.part, 0, RedisStatus::Away, why);
                    backoff.next()
                }
            }
            Err(error) => {
                it.board
                    .report(it.part, 0, RedisStatus::Away, &error.to_string());
                it.map.send_if_modified(|known| {
                    let is_first = !matches!(known, Known::Map(_));
                    if is_first {
                        *known = Known::Failed(error);
                    }
                    is_first
                });
                backoff.next()
            }
        };
        drop(it);
        // Many who doubt at once are one reason, and each look is followed by a pause.
        sleep(PAUSE).await;
        let _ = timeout(wait, doubt.changed()).await;
    }
}

impl Cluster {
    /// The map, as one of the nodes has it.
    async fn look(&self) -> Result<SlotMap, RedisError> {
        let mut addresses: Vec<Address> = self.links.lock().keys().cloned().collect();
        addresses.sort_by_key(|address| !self.link(address).is_up());
        for seed in &self.seeds {
            if !addresses.contains(seed) {
                addresses.push(seed.clone());
            }
        }
        let mut last = RedisError::unavailable("no node of the cluster answers");
        for address in addresses {
            match timeout(self.dial.timeout, self.ask(&address)).await {
                Ok(Ok(map)) => return Ok(map),
                Ok(Err(error)) => last = error,
                Err(_) => {}
            }
        }
        Err(last)
    }

    async fn ask(&self, address: &Address) -> Result<SlotMap, RedisError> {
        let mut question = redis::cmd("CLUSTER");
        question.arg("SLOTS");
        let known = self.links.lock().get(address).cloned();
        let answer = match known.filter(|link| link.is_up()) {
            Some(link) => {
                let deadline = Instant::now() + self.settings.command_timeout;
                link.send(&question, deadline).await?
            }
            None => self.ask_stranger(address, &question).await?,
        };
        SlotMap::parse(&answer, address, NODES_MAX)
            .ok_or_else(|| RedisError::unavailable("a node's answer is no map of slots"))
    }

    async fn ask_stranger(&self, address: &Address, question: &Cmd) -> Result<Value, RedisError> {
        let endpoint = Endpoint::Tcp(address.clone());
        let (mut connection, driver) = self.dial.connect(&endpoint).await?;
        let answer = tokio::select! {
            answer = connection.send_packed_command(question) => answer,
            () = driver => return Err(RedisError::unavailable("a node closed the connection")),
        };
        let answer = answer.and_then(Value::extract_error);
        answer.map_err(|error| RedisError::from_library(&error))
    }

    fn learn(&self, map: SlotMap) {
        let gone: Vec<_> = {
            let mut links = self.links.lock();
            let is_gone = |address: &Address| !map.primaries().any(|it| it == address);
            let gone: Vec<_> = links.keys().filter(|it| is_gone(it)).cloned().collect();
            gone.iter()
                .filter_map(|address| links.remove(address))
                .collect()
        };
        for address in map.primaries() {
            self.link(address);
        }
        drop(gone);
        self.map.send_replace(Known::Map(Arc::new(map)));
    }
}
