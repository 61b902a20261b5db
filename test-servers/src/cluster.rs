//! Three primaries that share the keys.

use crate::redis::{RedisOptions, RedisServer, wait_until};

/// The slots of every cluster.
const SLOTS: usize = 16_384;

/// The fewest primaries a cluster may have.
const NODES: usize = 3;

/// A Redis Cluster of three primaries without replicas.
#[derive(Debug)]
pub struct RedisCluster {
    /// The nodes: the first one has the first third of the slots.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts the nodes, gives each a third of the slots, and waits until all say that the
    /// cluster is complete.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`], or the cluster does not come about.
    pub fn start() -> Self {
        Self::start_with(RedisServer::options())
    }

    /// As [`start`](Self::start), each node with these options.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(options: RedisOptions) -> Self {
        Self::start_each([options.clone(), options.clone(), options])
    }

    /// As [`start`](Self::start), each node with options of its own.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_each(options: [RedisOptions; NODES]) -> Self {
        let nodes: Vec<_> = options
            .into_iter()
            .map(|options| {
                let options = options.config("cluster-enabled yes");
                options.config("cluster-node-timeout 2000").start()
            })
            .collect();
        for (index, node) in nodes.iter().enumerate() {
            let epoch = (index + 1).to_string();
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
            let first = (index * SLOTS / NODES).to_string();
            let last = ((index + 1) * SLOTS / NODES - 1).to_string();
            node.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            for other in &nodes {
                node.command(&["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string()]);
            }
        }
        let cluster = Self { nodes };
        cluster.wait_until_ok();
        cluster
    }

    /// Waits until every node calls the cluster complete.
    ///
    /// # Panics
    ///
    /// It does not become so.
    pub fn wait_until_ok(&self) {
        for node in &self.nodes {
            wait_until("the cluster", || {
                node.command(&["CLUSTER", "INFO"])
                    .contains("cluster_state:ok")
                    && node
                        .command(&["CLUSTER", "SLOTS"])
                        .matches("127.0.0.1")
                        .count()
                        == NODES
            });
        }
    }

    /// `127.0.0.1:PORT` of each node.
    pub fn addresses(&self) -> Vec<String> {
        let address = |node: &RedisServer| format!("127.0.0.1:{}", node.port());
        self.nodes.iter().map(address).collect()
    }

    /// Begins to move a slot: keys that are missing at `from` are asked for at `to`.
    pub fn begin_move(&self, slot: u16, from: usize, to: usize) {
        let (from, to) = (&self.nodes[from], &self.nodes[to]);
        let id = |node: &RedisServer| node.command(&["CLUSTER", "MYID"]);
        let slot = slot.to_string();
        to.command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)]);
        from.command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(to)]);
    }

    /// Moves what is left of a slot, and gives it to `to`.
    ///
    /// # Panics
    ///
    /// The nodes do not do it.
    pub fn finish_move(&self, slot: u16, from: usize, to: usize) {
        let id = self.nodes[to].command(&["CLUSTER", "MYID"]);
        let port = self.nodes[to].port().to_string();
        let slot = slot.to_string();
        let keys = self.nodes[from].command(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]);
        for key in keys.lines().filter(|key| !key.is_empty()) {
            let mut command = vec!["MIGRATE", "127.0.0.1", &port, key, "0", "5000"];
            if let Some(password) = self.nodes[to].password() {
                command.extend(["AUTH", password]);
            }
            let answer = self.nodes[from].command(&command);
            assert_eq!(answer, "OK", "a key that moves");
        }
        for index in [to, from] {
            self.nodes[index].command(&["CLUSTER", "SETSLOT", &slot, "NODE", &id]);
        }
    }
}
