//! `reflex!(…)`: the text of a `data-reflex` attribute.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Path, Result, Token};

use crate::names::{action_constant, call_site, default_root, plain};

struct Input {
    root: Path,
    entries: Vec<Entry>,
}

struct Entry {
    event: Option<Expr>,
    target: Path,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut root = default_root();
        if input.peek(Token![crate]) && input.peek2(Token![=]) && !input.peek2(Token![=>]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            root = input.parse()?;
            input.parse::<Token![;]>()?;
        }
        let entries = Punctuated::<Entry, Token![,]>::parse_terminated(input)?;
        if entries.is_empty() {
            return Err(Error::new(
                call_site(),
                "an action is missing: `reflex!(Counter::increment)` or `reflex!(\"click\" => Counter::increment)`",
            ));
        }
        Ok(Self {
            root,
            entries: entries.into_iter().collect(),
        })
    }
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let first: Expr = input.parse()?;
        if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?;
            let target: Path = input.parse()?;
            return Ok(Self {
                event: Some(first),
                target,
            });
        }
        match first {
            Expr::Path(path) if path.qself.is_none() => Ok(Self {
                event: None,
                target: path.path,
            }),
            other => Err(Error::new_spanned(
                other,
                "expected an action, `Counter::increment`, or an event and an action, `\"click\" => Counter::increment`",
            )),
        }
    }
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match syn::parse2::<Input>(input).and_then(|input| write(&input)) {
        Ok(tokens) => tokens,
        Err(error) => error.to_compile_error(),
    }
}

fn write(input: &Input) -> Result<TokenStream> {
    let root = &input.root;
    let mut parts = Vec::new();
    for (index, entry) in input.entries.iter().enumerate() {
        if index > 0 {
            parts.push(quote!(" "));
        }
        if let Some(event) = &entry.event {
            parts.push(quote!(#event));
            parts.push(quote!("->"));
        }
        let mut path = entry.target.clone();
        if path.segments.len() < 2 {
            return Err(Error::new_spanned(
                &entry.target,
                "an action is named with its reflex: `Counter::increment`",
            ));
        }
        if path
            .segments
            .first()
            .is_some_and(|first| first.ident == "Self")
        {
            return Err(Error::new_spanned(
                &entry.target,
                "an action is named with its reflex by name, not with `Self`: `Counter::increment`",
            ));
        }
        if let Some(last) = path.segments.last_mut() {
            last.ident = action_constant(&last.ident);
        }
        let fallback = fallback(&entry.target, root);
        parts.push(quote!({ #fallback #path }));
    }
    Ok(quote! {{
        const PARTS: &[&str] = &[#(#parts),*];
        const BYTES: [u8; #root::__macro::joined_len(PARTS)] = #root::__macro::joined(PARTS);
        const TARGET: &str = #root::__macro::text(&BYTES);
        TARGET
    }})
}

/// What stands in for the constant of an action that is none: a panic while compiling, in words.
///
/// A type's own constant goes before one of a trait, so an action that is one never sees this.
fn fallback(target: &Path, root: &Path) -> TokenStream {
    let mut reflex = target.clone();
    let action = reflex.segments.pop().map(syn::punctuated::Pair::into_value);
    reflex.segments.pop_punct();
    let Some(action) = action else {
        return TokenStream::new();
    };
    let constant = action_constant(&action.ident);
    let name = plain(&action.ident);
    let said = reflex.segments.last().map(|last| plain(&last.ident));
    let said = said.unwrap_or_default();
    let start = format!("`{said}` has no action `{name}`: its actions are ");
    let end = format!(
        "; a new one is `async fn {name}(&self, cx: &mut Reflex) -> Result` in the impl marked `#[reflex]`"
    );
    let span = action.ident.span();
    quote_spanned! {span=>
        #[allow(dead_code, non_upper_case_globals)]
        trait NoAction {
            const __actions: &'static str = "none";
            const #constant: &'static str;
        }
        impl<T: ?::core::marker::Sized> NoAction for T {
            const #constant: &'static str = {
                const SAID: &[&str] = &[#start, #reflex::__actions, #end];
                const BYTES: [u8; #root::__macro::joined_len(SAID)] = #root::__macro::joined(SAID);
                ::core::panic!("{}", #root::__macro::text(&BYTES))
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(tokens: TokenStream) -> String {
        expand(tokens).to_string()
    }

    #[test]
    fn an_action_becomes_its_constant() {
        let text = expanded(quote!(Counter::increment));
        assert!(text.contains("Counter :: __action_increment }]"), "{text}");
        let text = expanded(quote!("click" => admin::Users::r#type, "input" => B::c));
        for part in [
            r#"& ["click" , "->" , {"#,
            r#"admin :: Users :: __action_type } , " " , "input" , "->" , {"#,
            "B :: __action_c }]",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let text = expanded(quote!(crate = sinew_reflex; A::b));
        assert!(text.contains("sinew_reflex :: __macro :: joined"), "{text}");
    }

    #[test]
    fn what_is_no_action_is_refused_with_an_example() {
        for (tokens, expected) in [
            (quote!(), "an action is missing"),
            (quote!(increment), "named with its reflex"),
            (quote!(Self::increment), "not with `Self`"),
            (quote!("click"), "expected an action"),
        ] {
            let text = expanded(tokens);
            assert!(
                text.contains("compile_error") && text.contains(expected),
                "{text}"
            );
        }
    }
}
