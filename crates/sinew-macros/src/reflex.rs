//! `#[reflex]`: an `impl` becomes a definition.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Error, Expr, ImplItem, ImplItemFn, Result};

use crate::attributes::{ActionOptions, CallbackOptions, Filter, Named, ReflexOptions, inside};
use crate::names::{action_constant, at, at_returned, default_root, plain};
use crate::signature::{
    Parameter, check, parameters, parse_impl, refuse_other_context, returns_nothing, self_name,
    takes_context,
};

const CONTEXT: &str = "Reflex";
const MARKS: [&str; 6] = ["action", "before", "around", "after", "rescue", "helper"];

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let original = item.clone();
    match try_expand(attribute, item) {
        Ok(tokens) => tokens,
        Err(error) => {
            // The impl stays, without our marks, so that one mistake does not look like a hundred missing methods.
            let error = error.to_compile_error();
            let item = match syn::parse2::<syn::ItemImpl>(original.clone()) {
                Ok(mut item) => {
                    for method in methods(&mut item) {
                        method.attrs.retain(|attribute| mark(attribute).is_none());
                    }
                    item.into_token_stream()
                }
                Err(_) => original,
            };
            quote!(#error #item)
        }
    }
}

/// What a method is to the reflex.
enum Role {
    Action {
        options: ActionOptions,
        parameters: Vec<Parameter>,
    },
    Callback {
        kind: Kind,
        options: CallbackOptions,
    },
    Rescue,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Before,
    Around,
    After,
}

struct Method {
    ident: Ident,
    role: Role,
    cfgs: Vec<Attribute>,
    returns_nothing: bool,
    /// Where the returned type stands.
    returned: Span,
}

fn try_expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut item = parse_impl(item, "reflex")?;
    let options: ReflexOptions = syn::parse2(attribute)?;
    let type_name = self_name(&item, "reflex")?;
    let name = match &options.name {
        Some(name) => {
            check_class_name(name)?;
            name.value()
        }
        None => plain(&type_name),
    };

    let mut found = Vec::new();
    let mut errors: Option<Error> = None;
    for method in methods(&mut item) {
        match read(method) {
            Ok(Some(method)) => found.push(method),
            Ok(None) => {}
            Err(error) => match &mut errors {
                Some(errors) => errors.combine(error),
                None => errors = Some(error),
            },
        }
        method.attrs.retain(|attribute| mark(attribute).is_none());
    }
    if let Some(errors) = errors {
        return Err(errors);
    }
    let actions = action_names(&found)?;
    check_filters(&found, &options, &actions)?;

    let root = options.root.clone().unwrap_or_else(default_root);
    let root = quote!(#root::__macro);
    let self_ty = &item.self_ty;
    let class = name
        .strip_suffix("Reflex")
        .filter(|class| !class.is_empty())
        .unwrap_or(&name);
    let constants = found.iter().filter_map(|method| constant(method, class));
    let called: Vec<String> = found
        .iter()
        .filter(|method| matches!(method.role, Role::Action { .. }))
        .map(|method| plain(&method.ident))
        .collect();
    let called = listed(&called);
    let steps = found.iter().map(|method| step(method, &options, &root));
    let skips = options.skips.iter().map(|skip| {
        let callback = plain(&skip.callback);
        let filter = filter(&skip.filter);
        quote!(let definition = definition.skip(#root::Skip::new(#callback) #filter);)
    });
    Ok(quote! {
        #item

        #[automatically_derived]
        #[doc(hidden)]
        #[allow(non_upper_case_globals, dead_code)]
        impl #self_ty {
            #(#constants)*
            pub const __actions: &'static str = #called;
        }

        #[automatically_derived]
        impl #root::Reflexes for #self_ty {
            fn definition() -> #root::Definition<Self> {
                let definition = #root::Definition::<Self>::new(#name);
                #(#steps)*
                #(#skips)*
                definition
            }
        }
    })
}

fn methods(item: &mut syn::ItemImpl) -> impl Iterator<Item = &mut ImplItemFn> {
    item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    })
}

/// Which of our marks an attribute is.
fn mark(attribute: &Attribute) -> Option<&'static str> {
    MARKS
        .into_iter()
        .find(|mark| attribute.path().is_ident(mark))
}

/// Reads the role of a method from its marks and its signature.
fn read(method: &ImplItemFn) -> Result<Option<Method>> {
    let mut marks = method
        .attrs
        .iter()
        .filter(|attribute| mark(attribute).is_some());
    let marked = marks.next();
    if let Some(second) = marks.next() {
        return Err(Error::new_spanned(
            second,
            format!(
                "`{}` is marked twice, but a method has one role: take one of the marks away",
                method.sig.ident
            ),
        ));
    }
    let role = match marked.and_then(mark) {
        Some("helper") => return Ok(None),
        Some("before") => callback(method, marked, Kind::Before, "the before callback", 0)?,
        Some("after") => callback(method, marked, Kind::After, "the after callback", 0)?,
        Some("around") => callback(method, marked, Kind::Around, "the around callback", 1)?,
        Some("rescue") => {
            let rest = check(method, "the rescue", CONTEXT)?;
            if rest.len() != 1 {
                return Err(Error::new(
                    method.sig.ident.span(),
                    format!(
                        "a rescue takes the error: write `async fn {}(&self, cx: &mut Reflex, error: &Error)`",
                        method.sig.ident
                    ),
                ));
            }
            Role::Rescue
        }
        Some(_) => action(method, marked)?,
        // Without a mark, what has a context is an action, and what has none is nobody's business.
        None if takes_context(method, CONTEXT) => action(method, None)?,
        None => {
            refuse_other_context(method, CONTEXT, "Subscription")?;
            return Ok(None);
        }
    };
    Ok(Some(Method {
        ident: method.sig.ident.clone(),
        role,
        cfgs: method
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .cloned()
            .collect(),
        returns_nothing: returns_nothing(&method.sig.output),
        returned: at_returned(&method.sig.output),
    }))
}

fn action(method: &ImplItemFn, attribute: Option<&Attribute>) -> Result<Role> {
    let options = attribute.map_or_else(|| Ok(ActionOptions::default()), inside)?;
    let rest = check(method, "the action", CONTEXT)?;
    if let Some(name) = &options.name
        && !is_method_name(&name.value())
    {
        return Err(Error::new(
            name.span(),
            "an action's name is a word: letters, digits and `_`",
        ));
    }
    Ok(Role::Action {
        options,
        parameters: parameters(&rest)?,
    })
}

fn callback(
    method: &ImplItemFn,
    attribute: Option<&Attribute>,
    kind: Kind,
    what: &str,
    more: usize,
) -> Result<Role> {
    let options = attribute.map_or_else(|| Ok(CallbackOptions::default()), inside)?;
    let rest = check(method, what, CONTEXT)?;
    if rest.len() != more {
        let ident = &method.sig.ident;
        let expected = match kind {
            Kind::Around => {
                format!("`async fn {ident}(&self, cx: &mut Reflex, next: Next<'_>) -> Result`")
            }
            _ => format!("`async fn {ident}(&self, cx: &mut Reflex) -> Result`"),
        };
        let why = match kind {
            Kind::Around if rest.is_empty() => "is given what comes `next`",
            _ => "takes no arguments of the call",
        };
        // What is too much, or where something is missing.
        let place = rest.get(more).map_or_else(
            || method.sig.ident.to_token_stream(),
            |parameter| parameter.to_token_stream(),
        );
        return Err(Error::new_spanned(
            place,
            format!("{what} `{ident}` {why}: write {expected}"),
        ));
    }
    Ok(Role::Callback { kind, options })
}

fn is_method_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn check_class_name(name: &syn::LitStr) -> Result<()> {
    let text = name.value();
    let fits = !text.is_empty()
        && text.split("::").all(|part| {
            part.starts_with(|c: char| c.is_uppercase())
                && part.chars().all(|c| c.is_alphanumeric())
        });
    if fits {
        return Ok(());
    }
    Err(Error::new(
        name.span(),
        "a reflex's name is like `Counter` or `Admin::Users`",
    ))
}

/// The name an action is called by.
fn action_name(method: &Method) -> Option<String> {
    match &method.role {
        Role::Action { options, .. } => Some(
            options
                .name
                .as_ref()
                .map_or_else(|| plain(&method.ident), syn::LitStr::value),
        ),
        _ => None,
    }
}

fn action_names(found: &[Method]) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for method in found {
        let Some(name) = action_name(method) else {
            continue;
        };
        // Two versions of a method behind different `cfg`s are one action.
        if names.contains(&name) && method.cfgs.is_empty() {
            let named = match &method.role {
                Role::Action { options, .. } => options.name.as_ref(),
                _ => None,
            };
            return Err(Error::new(
                named.map_or_else(|| method.ident.span(), syn::LitStr::span),
                format!(
                    "two actions are named `{name}`: the browser can call one of them; give the other another name"
                ),
            ));
        }
        names.push(name);
    }
    Ok(names)
}

/// `only` and `except` must name actions, or they would silently never hold.
fn check_filters(found: &[Method], options: &ReflexOptions, actions: &[String]) -> Result<()> {
    let check = |named: &Named, of: &str| match named {
        Named::Own(ident) => {
            let name = plain(ident);
            if name == "default_reflex" || actions.contains(&name) {
                return Ok(());
            }
            Err(Error::new(
                ident.span(),
                format!(
                    "`{of}` names `{name}`, but the actions here are {}; name one of the application-wide reflex as a text: \"{name}\"",
                    listed(actions)
                ),
            ))
        }
        Named::Text(_) => Ok(()),
    };
    for method in found {
        if let Role::Callback { options, .. } = &method.role {
            for named in options.filter.names() {
                check(named, &plain(&method.ident))?;
            }
        }
    }
    for skip in &options.skips {
        for named in skip.filter.names() {
            check(named, &format!("skip({})", skip.callback))?;
        }
    }
    Ok(())
}

fn listed(actions: &[String]) -> String {
    if actions.is_empty() {
        return "none".to_owned();
    }
    actions
        .iter()
        .map(|action| format!("`{action}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The constant by which `reflex!` names an action.
fn constant(method: &Method, class: &str) -> Option<TokenStream> {
    let name = action_name(method)?;
    let cfgs = &method.cfgs;
    let constant = action_constant(&method.ident);
    let target = format!("{class}#{name}");
    Some(quote!(#(#cfgs)* pub const #constant: &'static str = #target;))
}

/// The statement that adds a method to the definition.
fn step(method: &Method, options: &ReflexOptions, root: &TokenStream) -> TokenStream {
    let Method { ident, cfgs, .. } = method;
    let added = match &method.role {
        Role::Action {
            options: own,
            parameters,
        } => action_step(method, own, parameters, options, root),
        Role::Callback { kind, options } => callback_step(method, *kind, options, root),
        Role::Rescue => {
            let outcome = outcome(method, root, quote!(Self::#ident(this, cx, error).await));
            quote!(rescue(|this, cx, error| ::std::boxed::Box::pin(async move { #outcome })))
        }
    };
    quote!(#(#cfgs)* let definition = definition.#added;)
}

fn action_step(
    method: &Method,
    own: &ActionOptions,
    parameters: &[Parameter],
    options: &ReflexOptions,
    root: &TokenStream,
) -> TokenStream {
    let ident = &method.ident;
    let name = action_name(method).unwrap_or_default();
    let locals: Vec<Ident> = (0..parameters.len())
        .map(|index| format_ident!("argument_{index}"))
        .collect();
    let reads = parameters
        .iter()
        .zip(&locals)
        .enumerate()
        .map(|(index, (parameter, local))| {
            let Parameter { name, ty, optional } = parameter;
            let how = if *optional {
                quote!(optional)
            } else {
                quote!(required)
            };
            // Spanned at the type, so that one serde cannot read is pointed at.
            quote_spanned!(at(ty)=> let #local: #ty = arguments.#how::<#ty>(#index, #name)?;)
        });
    let names = |optional: bool| {
        let names: Vec<&str> = parameters
            .iter()
            .filter(|parameter| parameter.optional == optional)
            .map(|parameter| parameter.name.as_str())
            .collect();
        quote!(&[#(#names),*])
    };
    let (required, optional) = (names(false), names(true));
    let concurrent = (own.concurrent || options.concurrent).then(|| quote!(.concurrent()));
    let time_limit = own.timeout.or(options.timeout).map(|limit| {
        let milliseconds = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        quote!(.time_limit(::std::time::Duration::from_millis(#milliseconds)))
    });
    let arguments = if parameters.is_empty() {
        format_ident!("_arguments")
    } else {
        format_ident!("arguments")
    };
    let outcome = outcome(
        method,
        root,
        quote!(Self::#ident(this, cx #(, #locals)*).await),
    );
    quote! {
        action(
            #root::Action::new(#name, |this, cx, #arguments| {
                ::std::boxed::Box::pin(async move {
                    #(#reads)*
                    #outcome
                })
            })
            .arguments(#required, #optional)
            #concurrent
            #time_limit
        )
    }
}

fn callback_step(
    method: &Method,
    kind: Kind,
    options: &CallbackOptions,
    root: &TokenStream,
) -> TokenStream {
    let ident = &method.ident;
    let name = plain(ident);
    let constructor = match kind {
        Kind::Before => {
            let outcome = outcome(method, root, quote!(Self::#ident(this, cx).await));
            quote!(before(#name, |this, cx| ::std::boxed::Box::pin(async move { #outcome })))
        }
        Kind::After => {
            let outcome = outcome(method, root, quote!(Self::#ident(this, cx).await));
            quote!(after(#name, |this, cx| ::std::boxed::Box::pin(async move { #outcome })))
        }
        Kind::Around => {
            let outcome = outcome(method, root, quote!(Self::#ident(this, cx, next).await));
            quote!(around(#name, |this, cx, next| ::std::boxed::Box::pin(async move { #outcome })))
        }
    };
    let filter = filter(&options.filter);
    let conditions = options.conditions.iter().map(|(condition, expected)| {
        // A bare name is a method of the reflex.
        let condition = match condition {
            Expr::Path(path) if path.qself.is_none() && path.path.get_ident().is_some() => {
                quote!(Self::#path)
            }
            other => other.to_token_stream(),
        };
        if *expected {
            quote!(.when(#condition))
        } else {
            quote!(.unless(#condition))
        }
    });
    let prepend = options.prepend.then(|| quote!(.prepend()));
    quote!(callback(#root::Callback::#constructor #filter #(#conditions)* #prepend))
}

/// Makes a `Result` of what a method gives back.
fn outcome(method: &Method, root: &TokenStream, call: TokenStream) -> TokenStream {
    if method.returns_nothing {
        quote!(#call; ::core::result::Result::Ok(()))
    } else {
        let span = method.returned;
        quote_spanned!(span=> let returned = #call; #root::Outcome::into_result(returned))
    }
}

fn filter(filter: &Filter) -> TokenStream {
    let list = |names: &[Named], method: TokenStream| {
        if names.is_empty() {
            return TokenStream::new();
        }
        let names = names.iter().map(Named::text);
        quote!(.#method(&[#(#names),*]))
    };
    let only = list(&filter.only, quote!(only));
    let except = list(&filter.except, quote!(except));
    quote!(#only #except)
}

#[cfg(test)]
mod tests;
