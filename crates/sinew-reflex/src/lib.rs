//! The reflex engine: registry, dispatch, life-cycle, page, selector and nothing morphs
