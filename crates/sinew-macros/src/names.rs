//! Names that generated code and macros must agree on.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;

/// The constant that holds an action's target, on the reflex's type.
pub(crate) fn action_constant(action: &Ident) -> Ident {
    let mut name = format_ident!("__action_{}", action.unraw());
    name.set_span(action.span());
    name
}

/// The name of a method without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The path generated code goes through when nothing else was said.
pub(crate) fn default_root() -> syn::Path {
    syn::parse_quote!(::sinew)
}

pub(crate) fn call_site() -> Span {
    Span::call_site()
}
