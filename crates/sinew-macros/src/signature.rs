//! Reading the signatures of methods.

use proc_macro2::Ident;
use quote::{ToTokens as _, quote};
use syn::{Error, FnArg, ImplItemFn, Pat, Result, ReturnType, Type};

/// One argument of an action.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) optional: bool,
}

/// Whether a method has a context, whatever else is wrong with it.
///
/// A plain method that only reads the context is a condition or a helper.
pub(crate) fn takes_context(method: &ImplItemFn, context: &str) -> bool {
    method.sig.inputs.iter().any(|input| match input {
        FnArg::Typed(input) => is_context(&input.ty, context)
            .is_some_and(|is_mutable| is_mutable || method.sig.asyncness.is_some()),
        FnArg::Receiver(_) => false,
    })
}

/// Whether a type is the context, and if so whether it is `&mut`.
fn is_context(ty: &Type, context: &str) -> Option<bool> {
    match ty {
        Type::Reference(reference) => {
            is_context(&reference.elem, context).map(|_| reference.mutability.is_some())
        }
        Type::Path(path) => path
            .path
            .segments
            .last()
            .filter(|last| last.ident == context)
            .map(|_| false),
        Type::Paren(inner) => is_context(&inner.elem, context),
        Type::Group(inner) => is_context(&inner.elem, context),
        _ => None,
    }
}

/// Refuses what was meant to be an action: an async method whose first parameter is called `cx`, or
/// is the context of the other kind of thing.
pub(crate) fn refuse_other_context(method: &ImplItemFn, context: &str, other: &str) -> Result<()> {
    let first = method.sig.inputs.iter().find_map(|input| match input {
        FnArg::Typed(input) => Some(input),
        FnArg::Receiver(_) => None,
    });
    let Some(first) = first.filter(|_| method.sig.asyncness.is_some()) else {
        return Ok(());
    };
    let is_called_cx = matches!(&*first.pat, Pat::Ident(pattern) if pattern.ident == "cx" || pattern.ident == "_cx");
    if !is_called_cx && is_context(&first.ty, other).is_none() {
        return Ok(());
    }
    let name = &method.sig.ident;
    Err(Error::new_spanned(
        &first.ty,
        format!(
            "`{name}` is no action, since this is not `&mut {context}`: write `cx: &mut {context}`, or mark the method `#[helper]` if it is not to be called from the browser"
        ),
    ))
}

/// Checks `async fn (&self, cx: &mut Context, …)` and gives back what follows.
pub(crate) fn check<'a>(
    method: &'a ImplItemFn,
    what: &str,
    context: &str,
) -> Result<Vec<&'a FnArg>> {
    let signature = &method.sig;
    let name = &signature.ident;
    if signature.asyncness.is_none() {
        let (keyword, inputs) = (&signature.fn_token, &signature.ident);
        return Err(Error::new_spanned(
            quote!(#keyword #inputs),
            format!(
                "{what} `{name}` must be async: write `async fn {name}`, or mark it `#[helper]` if it is not to be called from the browser"
            ),
        ));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &signature.generics,
            format!(
                "{what} `{name}` cannot be generic, since what the browser sends has no types to choose by: name the type, such as `String`"
            ),
        ));
    }
    let mut inputs = signature.inputs.iter();
    match inputs.next() {
        Some(FnArg::Receiver(receiver))
            if receiver.reference.is_some() && receiver.mutability.is_none() => {}
        Some(first) => {
            return Err(Error::new_spanned(
                first,
                format!(
                    "{what} `{name}` takes `&self` first, since one value serves all connections at once: write `async fn {name}(&self, cx: &mut {context}, …)`"
                ),
            ));
        }
        None => {
            return Err(Error::new(
                signature.ident.span(),
                format!(
                    "{what} `{name}` takes `&self` and the context: write `async fn {name}(&self, cx: &mut {context})`"
                ),
            ));
        }
    }
    match inputs.next() {
        Some(FnArg::Typed(second)) if is_context(&second.ty, context) == Some(true) => {}
        Some(second) => {
            let second = match second {
                FnArg::Typed(second) if is_context(&second.ty, context).is_some() => {
                    second.ty.to_token_stream()
                }
                second => second.to_token_stream(),
            };
            return Err(Error::new_spanned(
                second,
                format!(
                    "the second parameter of {what} `{name}` is the context: write `cx: &mut {context}`"
                ),
            ));
        }
        None => {
            return Err(Error::new(
                signature.ident.span(),
                format!(
                    "{what} `{name}` takes `&self` and the context: write `async fn {name}(&self, cx: &mut {context})`"
                ),
            ));
        }
    }
    Ok(inputs.collect())
}

/// Reads the arguments of an action.
pub(crate) fn parameters(inputs: &[&FnArg]) -> Result<Vec<Parameter>> {
    let mut parameters = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        let FnArg::Typed(input) = input else { continue };
        let name = match &*input.pat {
            Pat::Ident(pattern) => plain_parameter(&pattern.ident),
            _ => format!("argument {}", index + 1),
        };
        match &*input.ty {
            Type::Reference(reference) => {
                return Err(Error::new_spanned(
                    reference,
                    format!(
                        "`{name}` arrives as JSON and belongs to the action: use an owned type, such as `String` for a text"
                    ),
                ));
            }
            Type::ImplTrait(ty) => {
                return Err(Error::new_spanned(
                    ty,
                    format!(
                        "`{name}` arrives as JSON: name a type that serde can read, such as `String`"
                    ),
                ));
            }
            _ => {}
        }
        parameters.push(Parameter {
            name,
            ty: (*input.ty).clone(),
            optional: false,
        });
    }
    // Only what stands at the end can be left out.
    for parameter in parameters.iter_mut().rev() {
        if !is_option(&parameter.ty) {
            break;
        }
        parameter.optional = true;
    }
    Ok(parameters)
}

fn plain_parameter(ident: &Ident) -> String {
    crate::names::plain(ident)
        .trim_start_matches('_')
        .to_owned()
}

fn is_option(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option"))
}

/// Whether a method gives back nothing.
pub(crate) fn returns_nothing(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty()),
    }
}

/// The name of the type an `impl` is for, and that it is a plain one.
pub(crate) fn self_name(item: &syn::ItemImpl, attribute: &str) -> Result<Ident> {
    if let Some((_, path, _)) = &item.trait_ {
        let ty = &item.self_ty;
        let ty = quote!(#ty).to_string();
        return Err(Error::new_spanned(
            path,
            format!(
                "`#[{attribute}]` belongs on the type's own impl, not on that of a trait: write `#[{attribute}] impl {ty} {{ … }}`"
            ),
        ));
    }
    if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
        let generics = &item.generics;
        let clause = &item.generics.where_clause;
        return Err(Error::new_spanned(
            quote!(#generics #clause),
            without_generics(attribute),
        ));
    }
    let Type::Path(path) = &*item.self_ty else {
        return Err(Error::new_spanned(
            &item.self_ty,
            format!(
                "`#[{attribute}]` needs a type with a name: `struct Counter;` and `#[{attribute}] impl Counter {{ … }}`"
            ),
        ));
    };
    let last = path.path.segments.last().ok_or_else(|| {
        Error::new_spanned(
            &item.self_ty,
            format!("`#[{attribute}]` needs a type with a name: `struct Counter;` and `#[{attribute}] impl Counter {{ … }}`"),
        )
    })?;
    if !last.arguments.is_empty() {
        return Err(Error::new_spanned(
            &last.arguments,
            without_generics(attribute),
        ));
    }
    Ok(last.ident.clone())
}

fn without_generics(attribute: &str) -> String {
    format!(
        "`#[{attribute}]` needs a type without generics, since the browser knows its name only: wrap it in a type of its own, such as `struct Users(Table<User>);`"
    )
}

/// Parses the item, or says where the attribute belongs.
pub(crate) fn parse_impl(item: proc_macro2::TokenStream, attribute: &str) -> Result<syn::ItemImpl> {
    match syn::parse2::<syn::Item>(item)? {
        syn::Item::Impl(item) => Ok(item),
        other => Err(Error::new_spanned(
            other,
            format!(
                "`#[{attribute}]` belongs on an impl block: `#[{attribute}] impl Counter {{ … }}`"
            ),
        )),
    }
}
