//! Names that generated code and macros must agree on.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

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

/// Where something of the user's stands, for what we write about it: messages point there, and names
/// mean what they mean in the rest of what we write.
pub(crate) fn at(tokens: &impl Spanned) -> Span {
    Span::call_site().located_at(tokens.span())
}

/// Where the type stands that a method returns.
pub(crate) fn at_returned(output: &syn::ReturnType) -> Span {
    match output {
        syn::ReturnType::Default => Span::call_site(),
        syn::ReturnType::Type(_, ty) => at(&**ty),
    }
}

pub(crate) fn call_site() -> Span {
    Span::call_site()
}
