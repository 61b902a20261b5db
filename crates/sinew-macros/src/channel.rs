//! `#[channel]`: an `impl` becomes an Action Cable channel.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Error, FnArg, ImplItem, ImplItemFn, Result, Type};

use crate::attributes::ChannelOptions;
use crate::names::{at, at_returned, default_root, plain};
use crate::signature::{
    check, parameters, parse_impl, refuse_other_context, returns_nothing, self_name, takes_context,
};

const CONTEXT: &str = "Subscription";

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let original = item.clone();
    match try_expand(attribute, item) {
        Ok(tokens) => tokens,
        Err(error) => {
            let error = error.to_compile_error();
            let item = match syn::parse2::<syn::ItemImpl>(original.clone()) {
                Ok(mut item) => {
                    unmark(&mut item);
                    item.into_token_stream()
                }
                Err(_) => original,
            };
            quote!(#error #item)
        }
    }
}

fn is_helper(method: &ImplItemFn) -> bool {
    method
        .attrs
        .iter()
        .any(|attribute| attribute.path().is_ident("helper"))
}

fn unmark(item: &mut syn::ItemImpl) {
    for item in &mut item.items {
        if let ImplItem::Fn(method) = item {
            method
                .attrs
                .retain(|attribute| !attribute.path().is_ident("helper"));
        }
    }
}

fn try_expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut item = parse_impl(item, "channel")?;
    let options: ChannelOptions = syn::parse2(attribute)?;
    let type_name = self_name(&item, "channel")?;
    let name = options
        .name
        .as_ref()
        .map_or_else(|| plain(&type_name), syn::LitStr::value);
    let in_place = options.in_place;
    let root = options.root.clone().unwrap_or_else(default_root);
    let root = quote!(#root::__macro::cable);

    let mut written = Vec::new();
    let mut arms = Vec::new();
    let mut cares_about_unsubscribed = false;
    for method in item.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    }) {
        if is_helper(method) {
            continue;
        }
        if !takes_context(method, CONTEXT) {
            refuse_other_context(method, CONTEXT, "Reflex")?;
            continue;
        }
        let ident = &method.sig.ident;
        match plain(ident).as_str() {
            "subscribed" => {
                no_data(method)?;
                let outcome = outcome(method, &root, quote!(Self::#ident(self, cx).await));
                written.push(quote! {
                    async fn subscribed(&self, cx: &mut #root::Subscription)
                        -> ::core::result::Result<(), #root::ChannelError> { #outcome }
                });
            }
            "unsubscribed" => {
                no_data(method)?;
                if !returns_nothing(&method.sig.output) {
                    return Err(Error::new_spanned(
                        &method.sig.output,
                        "`unsubscribed` gives back nothing, since nobody is left to hear of an error: leave the return type away",
                    ));
                }
                cares_about_unsubscribed = true;
                written.push(quote! {
                    async fn unsubscribed(&self, cx: &mut #root::Subscription) {
                        Self::#ident(self, cx).await;
                    }
                });
            }
            "receive" => {
                let call = call(method, &root)?;
                written.push(quote! {
                    async fn receive(&self, cx: &mut #root::Subscription, data: &#root::RawValue)
                        -> ::core::result::Result<(), #root::ChannelError> {
                        let _ = data;
                        #call
                    }
                });
            }
            action => {
                let call = call(method, &root)?;
                let cfgs = method
                    .attrs
                    .iter()
                    .filter(|attribute| attribute.path().is_ident("cfg"));
                arms.push(quote!(#(#cfgs)* #action => { #call }));
            }
        }
    }
    if !arms.is_empty() {
        written.push(quote! {
            async fn perform(
                &self,
                cx: &mut #root::Subscription,
                action: &str,
                data: &#root::RawValue,
            ) -> ::core::result::Result<(), #root::ChannelError> {
                let _ = data;
                match action {
                    #(#arms)*
                    _ => ::core::result::Result::Err(#root::ChannelError::unknown_action(action)),
                }
            }
        });
    }
    unmark(&mut item);
    let self_ty = &item.self_ty;
    Ok(quote! {
        #item

        #[automatically_derived]
        impl #root::Channel for #self_ty {
            const NAME: &'static str = #name;
            const CARES_ABOUT_UNSUBSCRIBED: bool = #cares_about_unsubscribed;
            const IN_PLACE: bool = #in_place;
            #(#written)*
        }
    })
}

fn no_data(method: &ImplItemFn) -> Result<()> {
    let rest = check(method, "the channel's method", CONTEXT)?;
    match rest.first() {
        None => Ok(()),
        Some(more) => Err(Error::new_spanned(
            more,
            format!(
                "`{0}` brings no message: write `async fn {0}(&self, cx: &mut Subscription)`",
                method.sig.ident
            ),
        )),
    }
}

/// Calls an action with its message, if it takes one.
fn call(method: &ImplItemFn, root: &TokenStream) -> Result<TokenStream> {
    let ident = &method.sig.ident;
    let rest = check(method, "the channel's action", CONTEXT)?;
    if let Some(more) = rest.get(1) {
        return Err(Error::new_spanned(
            more,
            format!(
                "`{ident}` takes one message: `async fn {ident}(&self, cx: &mut Subscription, data: T)`"
            ),
        ));
    }
    let raw = matches!(rest.first(), Some(FnArg::Typed(input)) if is_raw(&input.ty));
    if raw {
        return Ok(outcome(
            method,
            root,
            quote!(Self::#ident(self, cx, data).await),
        ));
    }
    let parameters = parameters(&rest)?;
    let Some(parameter) = parameters.first() else {
        return Ok(outcome(method, root, quote!(Self::#ident(self, cx).await)));
    };
    let ty = &parameter.ty;
    let read = quote_spanned!(at(ty)=> let message: #ty = #root::read::<#ty>(data)?;);
    let outcome = outcome(method, root, quote!(Self::#ident(self, cx, message).await));
    Ok(quote!(#read #outcome))
}

/// `&RawValue`: the message as it was sent.
fn is_raw(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => matches!(
            &*reference.elem,
            Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "RawValue")
        ),
        _ => false,
    }
}

fn outcome(method: &ImplItemFn, root: &TokenStream, call: TokenStream) -> TokenStream {
    if returns_nothing(&method.sig.output) {
        quote!(#call; ::core::result::Result::Ok(()))
    } else {
        let span = at_returned(&method.sig.output);
        quote_spanned!(span=> let returned = #call; #root::Outcome::into_result(returned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_become_actions_and_stages() {
        let text = expand(
            quote!(),
            quote!(
                impl ChatChannel {
                    async fn subscribed(&self, cx: &mut Subscription) -> Result<(), ChannelError> {
                        Ok(())
                    }
                    async fn unsubscribed(&self, cx: &mut Subscription) {}
                    async fn say(&self, cx: &mut Subscription, data: Said) -> Result<(), ChannelError> {
                        Ok(())
                    }
                    async fn wave(&self, cx: &mut Subscription) {}
                    async fn raw(&self, cx: &mut Subscription, data: &RawValue) {}
                    #[helper]
                    async fn note(&self, cx: &mut Subscription) {}
                    fn plain(&self) {}
                }
            ),
        )
        .to_string();
        for expected in [
            r#"const NAME : & 'static str = "ChatChannel""#,
            "const CARES_ABOUT_UNSUBSCRIBED : bool = true",
            r#""say" => { let message : Said = :: sinew :: __macro :: cable :: read :: < Said > (data) ?"#,
            r#""wave" => { Self :: wave (self , cx) . await ; "#,
            r#""raw" => { Self :: raw (self , cx , data) . await ; "#,
            "async fn unsubscribed (& self , cx : & mut :: sinew",
        ] {
            assert!(
                text.contains(expected),
                "expected: {expected}\nfound: {text}"
            );
        }
        assert!(
            !text.contains(r#""note""#) && !text.contains("# [helper]"),
            "{text}"
        );
    }

    #[test]
    fn in_place_is_said_in_the_attribute() {
        for (attribute, expected) in [(quote!(in_place), "true"), (quote!(), "false")] {
            let text = expand(attribute, quote!(impl A {})).to_string();
            let expected = format!("const IN_PLACE : bool = {expected}");
            assert!(text.contains(&expected), "{text}");
        }
        let text = expand(quote!(inplace), quote!(impl A {})).to_string();
        assert!(
            text.contains("compile_error") && text.contains("`in_place`"),
            "{text}"
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (item, expected) in [
            (
                quote!(
                    impl A {
                        fn say(&self, cx: &mut Subscription) {}
                    }
                ),
                "must be async",
            ),
            (
                quote!(
                    impl A {
                        async fn say(&self, cx: &mut Subscription, a: u8, b: u8) {}
                    }
                ),
                "`say` takes one message",
            ),
            (
                quote!(
                    impl A {
                        async fn subscribed(&self, cx: &mut Subscription, a: u8) {}
                    }
                ),
                "`subscribed` brings no message",
            ),
            (
                quote!(
                    enum A {}
                ),
                "`#[channel]` belongs on an impl block",
            ),
        ] {
            let text = expand(quote!(), item).to_string();
            assert!(
                text.contains("compile_error") && text.contains(expected),
                "{text}"
            );
        }
    }
}
