//! `reflex!(…)`: the text of a `data-reflex` attribute.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Path, Result, Token};

use crate::names::{action_constant, call_site, default_root};

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
        if let Some(last) = path.segments.last_mut() {
            last.ident = action_constant(&last.ident);
        }
        parts.push(quote!(#path));
    }
    Ok(quote! {{
        const PARTS: &[&str] = &[#(#parts),*];
        const BYTES: [u8; #root::__macro::joined_len(PARTS)] = #root::__macro::joined(PARTS);
        const TARGET: &str = #root::__macro::text(&BYTES);
        TARGET
    }})
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
        assert!(text.contains("& [Counter :: __action_increment]"), "{text}");
        let text = expanded(quote!("click" => admin::Users::r#type, "input" => B::c));
        assert!(
            text.contains(r#"& ["click" , "->" , admin :: Users :: __action_type , " " , "input" , "->" , B :: __action_c]"#),
            "{text}"
        );
        let text = expanded(quote!(crate = sinew_reflex; A::b));
        assert!(text.contains("sinew_reflex :: __macro :: joined"), "{text}");
    }

    #[test]
    fn what_is_no_action_is_refused_with_an_example() {
        for (tokens, expected) in [
            (quote!(), "an action is missing"),
            (quote!(increment), "named with its reflex"),
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
