//! The public items of a library with their examples, read from its source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Expr, Fields, ImplItem, Item, ItemMacro, ItemMod, Lit, Meta, TraitItem, Type,
    Visibility,
};

use super::code::{self, Example};
use crate::checkout;

/// A public item that the rule looks at.
pub(super) struct Public {
    pub(super) file: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) examples: Vec<Example>,
    /// The public modules around it, as places in [`Library::modules`]; the crate itself is first.
    pub(super) modules: Vec<usize>,
}

pub(super) enum Kind {
    /// A type or trait; its examples are in [`Library::of_types`].
    Type,
    /// A function or macro.
    Callable,
    /// An error, an alias or a plain struct, likewise.
    Plain,
    /// A method of the type or trait of this name.
    Method { owner: String, is_of_trait: bool },
    /// A function of a suite.
    Rule,
}

/// A public module, or the crate.
#[derive(Default)]
pub(super) struct Module {
    pub(super) examples: Vec<Example>,
    /// In a suite: every function and the names in its body.
    pub(super) functions: BTreeMap<String, BTreeSet<String>>,
    is_suite: bool,
}

/// A library as its documentation shows it.
#[derive(Default)]
pub(super) struct Library {
    pub(super) items: Vec<Public>,
    pub(super) modules: Vec<Module>,
    /// Examples in the docs of types and traits and their `impl` blocks, by the name of the type.
    pub(super) of_types: BTreeMap<String, Vec<Example>>,
    /// What could not be read, with its file.
    pub(super) faults: Vec<String>,
}

/// Where in the tree of modules something stands.
#[derive(Clone)]
struct Place {
    file: String,
    /// The folder of the files of the modules below.
    folder: PathBuf,
    modules: Vec<usize>,
}

impl Library {
    /// Reads a library from the file of its root.
    pub(super) fn read(root: &Path) -> Self {
        let mut library = Self::default();
        let folder = root.parent().unwrap().to_owned();
        library.file(root, folder, &[], Some(("", &[])));
        library.settle();
        library
    }

    /// Reads a library of one file.
    #[cfg(test)]
    pub(super) fn of(source: &str) -> Self {
        let mut library = Self::default();
        let place = Place {
            file: "lib.rs".to_owned(),
            folder: PathBuf::new(),
            modules: vec![0],
        };
        library.modules.push(Module::default());
        let file = syn::parse_file(source).expect("the source is Rust");
        library.modules[0].examples = library.examples(&file.attrs, &place.file);
        library.items(file.items, &place);
        library.settle();
        library
    }

    /// Methods of types that are not public are not public.
    fn settle(&mut self) {
        let types: BTreeSet<String> = self
            .items
            .iter()
            .filter(|item| matches!(item.kind, Kind::Type | Kind::Plain))
            .map(|item| item.name.clone())
            .collect();
        self.items.retain(|item| match &item.kind {
            Kind::Method { owner, .. } => types.contains(owner),
            _ => true,
        });
    }

    /// Reads the file of a module; of a public one, its name and what stands at its `mod` are given.
    fn file(
        &mut self,
        path: &Path,
        folder: PathBuf,
        around: &[usize],
        public: Option<(&str, &[Attribute])>,
    ) {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let shown = path.strip_prefix(checkout::root()).unwrap_or(path);
        let mut place = Place {
            file: shown.display().to_string(),
            folder,
            modules: around.to_vec(),
        };
        if let Some((name, attributes)) = public {
            self.enter(name, &[attributes, &file.attrs].concat(), &mut place);
        }
        self.items(file.items, &place);
    }

    /// Goes into a public module.
    fn enter(&mut self, name: &str, attributes: &[Attribute], place: &mut Place) {
        let examples = self.examples(attributes, &place.file);
        place.modules.push(self.modules.len());
        self.modules.push(Module {
            examples,
            is_suite: name == "contract",
            ..Module::default()
        });
    }

    fn items(&mut self, items: Vec<Item>, place: &Place) {
        for item in items {
            if !is_left_out(attributes(&item)) {
                self.item(item, place);
            }
        }
    }

    fn item(&mut self, item: Item, place: &Place) {
        match item {
            Item::Mod(item) => self.module(item, place),
            Item::Fn(item) => {
                let name = item.sig.ident.to_string();
                let module = &mut self.modules[*place.modules.last().unwrap()];
                let is_suite = module.is_suite;
                if is_suite {
                    let mut names = BTreeSet::new();
                    collect_names(item.block.to_token_stream(), &mut names);
                    module.functions.insert(name.clone(), names);
                }
                if is_public(&item.vis) {
                    let kind = if is_suite { Kind::Rule } else { Kind::Callable };
                    self.add(name, kind, &item.attrs, place);
                }
            }
            Item::Macro(item) => self.item_macro(item, place),
            Item::Struct(item) if is_public(&item.vis) => {
                let is_plain = is_error(&item.ident, &item.attrs) || is_open(&item.fields);
                self.add_type(&item.ident, is_plain, &item.attrs, place);
            }
            Item::Enum(item) if is_public(&item.vis) => {
                let is_plain = is_error(&item.ident, &item.attrs);
                self.add_type(&item.ident, is_plain, &item.attrs, place);
            }
            Item::Union(item) if is_public(&item.vis) => {
                self.add_type(&item.ident, false, &item.attrs, place);
            }
            Item::Type(item) if is_public(&item.vis) => {
                self.add_type(&item.ident, true, &item.attrs, place);
            }
            Item::Trait(item) if is_public(&item.vis) => {
                self.add_type(&item.ident, false, &item.attrs, place);
                for member in item.items {
                    if let TraitItem::Fn(method) = member {
                        let name = method.sig.ident.to_string();
                        self.add_method(name, &item.ident.to_string(), true, &method.attrs, place);
                    }
                }
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let Some(owner) = last_name(&item.self_ty) else {
                    return;
                };
                let examples = self.examples(&item.attrs, &place.file);
                self.of_types
                    .entry(owner.clone())
                    .or_default()
                    .extend(examples);
                for member in item.items {
                    if let ImplItem::Fn(method) = member
                        && is_public(&method.vis)
                    {
                        let name = method.sig.ident.to_string();
                        self.add_method(name, &owner, false, &method.attrs, place);
                    }
                }
            }
            _ => {}
        }
    }

    fn module(&mut self, module: ItemMod, place: &Place) {
        let name = module.ident.to_string();
        let public = is_public(&module.vis).then_some((name.as_str(), module.attrs.as_slice()));
        let folder = place.folder.join(&name);
        if let Some((_, items)) = module.content {
            let mut place = Place {
                folder,
                ..place.clone()
            };
            if let Some((name, attributes)) = public {
                self.enter(name, attributes, &mut place);
            }
            self.items(items, &place);
        } else {
            let beside = place.folder.join(format!("{name}.rs"));
            let path = if beside.exists() {
                beside
            } else {
                folder.join("mod.rs")
            };
            self.file(&path, folder, &place.modules, public);
        }
    }

    fn item_macro(&mut self, item: ItemMacro, place: &Place) {
        let is_exported = item
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("macro_export"));
        match item.ident {
            Some(name) if is_exported => {
                self.add(name.to_string(), Kind::Callable, &item.attrs, place)
            }
            _ if writes_public(item.mac.tokens) => {
                let fault = "a macro writes public items: write them out, so that they can be read";
                self.faults.push(format!("{}: {fault}", place.file));
            }
            _ => {}
        }
    }

    fn add(&mut self, name: String, kind: Kind, attributes: &[Attribute], place: &Place) {
        let examples = self.examples(attributes, &place.file);
        self.items.push(Public {
            file: place.file.clone(),
            name,
            kind,
            examples,
            modules: place.modules.clone(),
        });
    }

    fn add_type(
        &mut self,
        name: &syn::Ident,
        is_plain: bool,
        attributes: &[Attribute],
        place: &Place,
    ) {
        let kind = if is_plain { Kind::Plain } else { Kind::Type };
        let name = name.to_string();
        let examples = self.examples(attributes, &place.file);
        self.of_types
            .entry(name.clone())
            .or_default()
            .extend(examples);
        self.add(name, kind, &[], place);
    }

    fn add_method(
        &mut self,
        name: String,
        owner: &str,
        is_of_trait: bool,
        attributes: &[Attribute],
        place: &Place,
    ) {
        if is_left_out(attributes) {
            return;
        }
        let owner = owner.to_owned();
        self.add(name, Kind::Method { owner, is_of_trait }, attributes, place);
    }

    fn examples(&mut self, attributes: &[Attribute], file: &str) -> Vec<Example> {
        let (examples, faults) = code::examples(&docs(attributes));
        let faults = faults.iter().map(|fault| format!("{file}: {fault}"));
        self.faults.extend(faults);
        examples
    }
}

/// The text of the doc comments among these.
fn docs(attributes: &[Attribute]) -> String {
    let mut docs = String::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(text) = &literal.lit
        {
            docs.push_str(&text.value());
            docs.push('\n');
        }
    }
    docs
}

/// Whether it is hidden from the documentation, or there in tests only.
fn is_left_out(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_hidden = |word: &str| match &attribute.meta {
            Meta::List(list) => list.tokens.to_string() == word,
            _ => false,
        };
        (attribute.path().is_ident("doc") && is_hidden("hidden"))
            || (attribute.path().is_ident("cfg") && is_hidden("test"))
    })
}

/// `unreachable_pub` is denied, so that `pub` means public.
fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// An error is named so, or derives the trait.
fn is_error(name: &syn::Ident, attributes: &[Attribute]) -> bool {
    let derives = |attribute: &Attribute| {
        let mut names = BTreeSet::new();
        if let Meta::List(list) = &attribute.meta {
            collect_names(list.tokens.clone(), &mut names);
        }
        attribute.path().is_ident("derive") && names.contains("Error")
    };
    name.to_string().ends_with("Error") || attributes.iter().any(derives)
}

/// Whether there are fields, all of them public.
fn is_open(fields: &Fields) -> bool {
    !fields.is_empty() && fields.iter().all(|field| is_public(&field.vis))
}

/// `Name` of `path::Name<T>`.
fn last_name(of: &Type) -> Option<String> {
    match of {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

fn collect_names(tokens: TokenStream, names: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                names.insert(name.to_string());
            }
            TokenTree::Group(group) => collect_names(group.stream(), names),
            _ => {}
        }
    }
}

/// Whether these tokens have a `pub` that is not `pub(…)`.
fn writes_public(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) => {
                let is_restricted = matches!(tokens.peek(), Some(TokenTree::Group(_)));
                if name == "pub" && !is_restricted {
                    return true;
                }
            }
            TokenTree::Group(group) if writes_public(group.stream()) => return true,
            _ => {}
        }
    }
    false
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        _ => &[],
    }
}
