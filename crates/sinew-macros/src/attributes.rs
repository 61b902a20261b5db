//! What may stand in the attributes.

use std::time::Duration;

use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, LitStr, Path, Result, Token, parenthesized};

use crate::names::plain;

/// An action named in `only` or `except`: an own one, or any as a text.
#[derive(Clone)]
pub(crate) enum Named {
    Own(Ident),
    Text(LitStr),
}

impl Named {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Own(ident) => plain(ident),
            Self::Text(text) => text.value(),
        }
    }
}

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            input.parse().map(Self::Text)
        } else {
            input.parse().map(Self::Own)
        }
    }
}

/// `only(..)` and `except(..)`.
#[derive(Default)]
pub(crate) struct Filter {
    pub(crate) only: Vec<Named>,
    pub(crate) except: Vec<Named>,
}

impl Filter {
    pub(crate) fn names(&self) -> impl Iterator<Item = &Named> {
        self.only.iter().chain(&self.except)
    }

    /// Takes `only` or `except`; says whether it was one.
    fn take(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<bool> {
        let list = if key == "only" {
            &mut self.only
        } else if key == "except" {
            &mut self.except
        } else {
            return Ok(false);
        };
        if !input.peek(syn::token::Paren) {
            return Err(Error::new(
                key.span(),
                format!("`{key}` takes actions in parentheses; write `{key}(increment)`"),
            ));
        }
        let content;
        parenthesized!(content in input);
        let names = Punctuated::<Named, Token![,]>::parse_terminated(&content)?;
        if names.is_empty() {
            return Err(Error::new(
                key.span(),
                format!("`{key}` names no action; write `{key}(increment)`"),
            ));
        }
        list.extend(names);
        Ok(true)
    }
}

/// What stands in `#[reflex(..)]`.
#[derive(Default)]
pub(crate) struct ReflexOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) root: Option<Path>,
    pub(crate) concurrent: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) skips: Vec<SkipOption>,
}

pub(crate) struct SkipOption {
    pub(crate) callback: Ident,
    pub(crate) filter: Filter,
}

/// What stands in `#[channel(..)]`.
#[derive(Default)]
pub(crate) struct ChannelOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) in_place: bool,
    pub(crate) root: Option<Path>,
}

/// What stands in `#[action(..)]`.
#[derive(Default)]
pub(crate) struct ActionOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) concurrent: bool,
    pub(crate) timeout: Option<Duration>,
}

/// What stands in `#[before(..)]`, `#[around(..)]`, `#[after(..)]`.
#[derive(Default)]
pub(crate) struct CallbackOptions {
    pub(crate) filter: Filter,
    pub(crate) conditions: Vec<(Expr, bool)>,
    pub(crate) prepend: bool,
}

/// Parses `key`, `key = value` and `key(..)`, separated by commas.
fn entries(
    input: ParseStream<'_>,
    mut take: impl FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    use syn::ext::IdentExt;
    while !input.is_empty() {
        // `if` and `crate` are keywords, so any identifier is taken here.
        let key = Ident::parse_any(input)?;
        take(&key, input)?;
        if input.is_empty() {
            break;
        }
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

fn value<T: Parse>(input: ParseStream<'_>) -> Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn unknown(key: &Ident, of: &str, known: &str) -> Error {
    Error::new(
        key.span(),
        format!("{of} knows no `{key}`; it takes {known}"),
    )
}

impl Parse for ReflexOptions {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        entries(input, |key, input| {
            match key.to_string().as_str() {
                "name" => options.name = Some(value(input)?),
                "crate" => options.root = Some(value(input)?),
                "concurrent" => options.concurrent = true,
                "timeout" => options.timeout = Some(duration(&value(input)?)?),
                "skip" => options.skips.extend(skips(input)?),
                _ => {
                    return Err(unknown(
                        key,
                        "`#[reflex]`",
                        "`name = \"…\"`, `skip(…)`, `concurrent`, `timeout = \"5s\"` and `crate = …`",
                    ));
                }
            }
            Ok(())
        })?;
        Ok(options)
    }
}

/// `skip(a, b)`, or `skip(a, only(..))`: a condition holds for all names of its list.
fn skips(input: ParseStream<'_>) -> Result<Vec<SkipOption>> {
    let content;
    parenthesized!(content in input);
    let mut callbacks = Vec::new();
    let mut filter = Filter::default();
    entries(&content, |key, input| {
        if !(input.peek(syn::token::Paren) && filter.take(key, input)?) {
            callbacks.push(key.clone());
        }
        Ok(())
    })?;
    Ok(callbacks
        .into_iter()
        .map(|callback| SkipOption {
            callback,
            filter: Filter {
                only: filter.only.clone(),
                except: filter.except.clone(),
            },
        })
        .collect())
}

impl Parse for ChannelOptions {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        entries(input, |key, input| {
            match key.to_string().as_str() {
                "name" => options.name = Some(value(input)?),
                "in_place" => options.in_place = true,
                "crate" => options.root = Some(value(input)?),
                _ => {
                    return Err(unknown(
                        key,
                        "`#[channel]`",
                        "`name = \"…\"`, `in_place` and `crate = …`",
                    ));
                }
            }
            Ok(())
        })?;
        Ok(options)
    }
}

impl Parse for ActionOptions {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        entries(input, |key, input| {
            match key.to_string().as_str() {
                "name" => options.name = Some(value(input)?),
                "concurrent" => options.concurrent = true,
                "timeout" => options.timeout = Some(duration(&value(input)?)?),
                _ => {
                    return Err(unknown(
                        key,
                        "`#[action]`",
                        "`concurrent`, `timeout = \"5s\"` and `name = \"…\"`",
                    ));
                }
            }
            Ok(())
        })?;
        Ok(options)
    }
}

impl Parse for CallbackOptions {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        entries(input, |key, input| {
            if options.filter.take(key, input)? {
                return Ok(());
            }
            match key.to_string().as_str() {
                "if" => options.conditions.push((value(input)?, true)),
                "unless" => options.conditions.push((value(input)?, false)),
                "prepend" => options.prepend = true,
                _ => {
                    return Err(unknown(
                        key,
                        "the mark of a callback",
                        "`only(…)`, `except(…)`, `if = …`, `unless = …` and `prepend`",
                    ));
                }
            }
            Ok(())
        })?;
        Ok(options)
    }
}

/// `"5s"`, `"250ms"`, `"2m"`.
fn duration(text: &LitStr) -> Result<Duration> {
    let value = text.value();
    let digits = value
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let number: Option<u64> = number.parse().ok().filter(|number| *number > 0);
    let milliseconds = match (number, unit.trim()) {
        (Some(number), "ms") => Some(number),
        (Some(number), "s") => number.checked_mul(1_000),
        (Some(number), "m") => number.checked_mul(60_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis).ok_or_else(|| {
        Error::new(
            text.span(),
            "a time limit is a number with a unit: \"250ms\", \"5s\" or \"2m\"",
        )
    })
}

/// Parses the inside of a method's attribute, which may be bare.
pub(crate) fn inside<T: Parse + Default>(attribute: &syn::Attribute) -> Result<T> {
    match &attribute.meta {
        syn::Meta::Path(_) => Ok(T::default()),
        syn::Meta::List(list) => list.parse_args(),
        syn::Meta::NameValue(pair) => {
            let mark = attribute.path().to_token_stream();
            Err(Error::new_spanned(
                pair,
                format!("the settings of a mark stand in parentheses: `#[{mark}(…)]`"),
            ))
        }
    }
}
