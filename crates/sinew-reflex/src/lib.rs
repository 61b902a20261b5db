//! The reflex engine: registry, dispatch, life-cycle, page, selector and nothing morphs

pub mod element;
pub mod html;
mod inflection;
pub mod params;
