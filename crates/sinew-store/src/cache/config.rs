//! Names and limits.

/// How long a key may be, in bytes: 1 KiB. Every store takes keys of this length; nothing
/// above the port asks it to take longer ones.
pub const KEY_BYTES_MAX: usize = 1024;

/// How large a stored value may be unless the application says otherwise, in bytes: 1 MiB.
/// Every store takes values of this size.
pub const VALUE_BYTES_MAX: usize = 1024 * 1024;

/// How much a [`MemoryCache`](super::MemoryCache) holds unless it is told otherwise, in bytes:
/// 64 MiB. One more entry pushes out those that were used least recently.
pub const MEMORY_CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What an entry in memory is taken to need beside its key and its value, in bytes: the two
/// index entries, the links and the allocations' own headers.
pub(crate) const ENTRY_OVERHEAD_BYTES: usize = 192;

/// From how many bytes a cache in memory is divided, so that two tasks seldom wait for one
/// lock. A part is four times the largest value by default: a small cache is one part and
/// forgets in exact order.
pub(crate) const SHARD_BYTES_MIN: usize = 4 * VALUE_BYTES_MAX;

/// Into how many parts a cache in memory is divided at most.
pub(crate) const SHARDS_MAX: usize = 16;

/// Expired entries removed by one write in memory, at most. Two, so that the dead are removed
/// faster than new ones can be written and no single write pays for all of them.
pub(crate) const SWEPT_PER_WRITE_MAX: usize = 2;
