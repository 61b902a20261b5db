//! The registered reflexes, with every chain of callbacks made beforehand.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::argument::Arguments;
use crate::callback::{Chain, Next, Step, StepKind};
use crate::definition::{Action, CallbackKind, Definition, Reflexes};
use crate::error::{BuildError, Error, ErrorKind, Result};
use crate::measure::{Measured, ReflexStatistics};
use crate::nearest::nearest;
use crate::reflex::Reflex;
use crate::target::{BASE, DEFAULT_ACTION, brief, class_key, split};

/// A registered reflex whose type is forgotten.
pub(crate) trait Class: Send + Sync {
    fn act<'a>(
        &'a self,
        action: usize,
        cx: &'a mut Reflex,
        arguments: Arguments<'a>,
    ) -> BoxFuture<'a, Result>;
    fn callback<'a>(&'a self, callback: usize, cx: &'a mut Reflex) -> BoxFuture<'a, Result>;
    fn around<'a>(
        &'a self,
        callback: usize,
        cx: &'a mut Reflex,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result>;
    fn admits(&self, callback: usize, cx: &Reflex) -> bool;
    fn rescue<'a>(&'a self, cx: &'a mut Reflex, error: &'a Error) -> BoxFuture<'a, Result>;
    fn rescues(&self) -> bool;
}

struct Registered<T> {
    instance: T,
    definition: Definition<T>,
}

impl<T: Reflexes> Class for Registered<T> {
    fn act<'a>(
        &'a self,
        action: usize,
        cx: &'a mut Reflex,
        arguments: Arguments<'a>,
    ) -> BoxFuture<'a, Result> {
        match self.definition.actions.get(action) {
            Some(action) => (action.run)(&self.instance, cx, arguments),
            // The index past the end stands for `default_reflex`.
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }

    fn callback<'a>(&'a self, callback: usize, cx: &'a mut Reflex) -> BoxFuture<'a, Result> {
        match self.definition.callbacks[callback].run {
            CallbackKind::Before(run) | CallbackKind::After(run) => run(&self.instance, cx),
            CallbackKind::Around(_) => unreachable!("a chain calls an around through `around`"),
        }
    }

    fn around<'a>(
        &'a self,
        callback: usize,
        cx: &'a mut Reflex,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result> {
        match self.definition.callbacks[callback].run {
            CallbackKind::Around(run) => run(&self.instance, cx, next),
            _ => unreachable!("a chain calls a before and an after through `callback`"),
        }
    }

    fn admits(&self, callback: usize, cx: &Reflex) -> bool {
        self.definition.callbacks[callback]
            .conditions
            .iter()
            .all(|(condition, expected)| condition(&self.instance, cx) == *expected)
    }

    fn rescue<'a>(&'a self, cx: &'a mut Reflex, error: &'a Error) -> BoxFuture<'a, Result> {
        Box::pin(async move {
            for rescue in &self.definition.rescues {
                rescue(&self.instance, cx, error).await?;
            }
            Ok(())
        })
    }

    fn rescues(&self) -> bool {
        !self.definition.rescues.is_empty()
    }
}

/// An action that can be called, with everything around it.
pub(crate) struct Route {
    /// `Class#action` as the log names it.
    pub(crate) label: String,
    pub(crate) action_name: String,
    pub(crate) chain: Chain,
    pub(crate) required: Vec<String>,
    pub(crate) optional: Vec<String>,
    pub(crate) concurrent: bool,
    pub(crate) time_limit: Option<Duration>,
    /// Whose rescues hear of an error: the class, then the application-wide one.
    pub(crate) rescuers: Vec<Arc<dyn Class>>,
    pub(crate) measured: Measured,
}

impl Route {
    /// Accepts R to R+O arguments.
    pub(crate) fn check_arity(&self, given: &[&serde_json::value::RawValue]) -> Result {
        let required = self.required.len();
        if (required..=required + self.optional.len()).contains(&given.len()) {
            return Ok(());
        }
        let given: Vec<&str> = given.iter().map(|raw| raw.get()).collect();
        let list = |kind: &str, names: &[String]| {
            names
                .iter()
                .map(|name| format!("[:{kind}, :{name}]"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        Err(Error::of(
            ErrorKind::Arity,
            format!(
                "wrong number of arguments (given [{}], expected [{}], optional [{}])",
                brief(&given.join(", ")),
                list("req", &self.required),
                list("opt", &self.optional),
            ),
        ))
    }
}

/// All that can be called.
pub(crate) struct Registry {
    classes: HashMap<String, Actions, foldhash::fast::RandomState>,
    /// Targets as they are usually written, straight to their route.
    targets: HashMap<String, Arc<Route>, foldhash::fast::RandomState>,
}

type Actions = HashMap<String, Arc<Route>, foldhash::fast::RandomState>;

impl Registry {
    /// What is measured of every action that was called, by name.
    pub(crate) fn statistics(&self) -> Vec<ReflexStatistics> {
        let routes = self.classes.values().flat_map(HashMap::values);
        let mut statistics: Vec<_> = routes
            .map(|route| ReflexStatistics {
                name: route.label.clone(),
                durations: route.measured.durations.read(),
                errors: route.measured.errors.load(Relaxed),
            })
            .filter(|statistics| statistics.durations.count() > 0)
            .collect();
        statistics.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        statistics
    }

    /// The route of a target.
    pub(crate) fn route(&self, target: &str) -> Result<&Arc<Route>> {
        if let Some(route) = self.targets.get(target) {
            return Ok(route);
        }
        let Some((class, action)) = split(target) else {
            return Err(Error::of(
                ErrorKind::Target,
                format!("target `{}` is not of the form Class#action", brief(target)),
            ));
        };
        let key = class_key(class);
        let (shown, action_shown) = (brief(&key), brief(action));
        let Some(actions) = self.classes.get(&*key) else {
            return Err(Error::of(
                ErrorKind::Target,
                format!(
                    "{shown}Reflex is not a StimulusReflex::Reflex: no reflex of that name is registered{}",
                    did_you_mean(&shown, self.classes.keys())
                ),
            ));
        };
        actions.get(action).ok_or_else(|| {
            Error::of(
                ErrorKind::Target,
                format!(
                    "Reflex method '{action_shown}' is not defined on class '{shown}Reflex' or on any of its ancestors{}",
                    did_you_mean(&action_shown, actions.keys())
                ),
            )
        })
    }
}

/// The end of a sentence about a name that there is not. Only the log and a developer read it.
fn did_you_mean<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> String {
    nearest(name, names.map(String::as_str))
        .map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// A class on its way into the registry.
pub(crate) struct Pending {
    name: String,
    class: Arc<dyn Class>,
    actions: Vec<PendingAction>,
    callbacks: Vec<PendingCallback>,
    skips: Vec<(String, crate::definition::Filter)>,
}

#[derive(Clone)]
struct PendingAction {
    name: String,
    index: usize,
    required: Vec<String>,
    optional: Vec<String>,
    concurrent: bool,
    time_limit: Option<Duration>,
}

struct PendingCallback {
    name: String,
    index: usize,
    kind: StepKind,
    only: Vec<String>,
    except: Vec<String>,
    prepend: bool,
}

impl PendingCallback {
    fn admits(&self, action: &str) -> bool {
        (self.only.is_empty() || self.only.iter().any(|name| name == action))
            && !self.except.iter().any(|name| name == action)
    }
}

impl Pending {
    pub(crate) fn new<T: Reflexes>(instance: T) -> Self {
        let mut definition = T::definition();
        let names = |names: &[std::borrow::Cow<'static, str>]| -> Vec<String> {
            names.iter().map(|name| name.clone().into_owned()).collect()
        };
        let actions = definition
            .actions
            .iter()
            .enumerate()
            .map(|(index, action): (usize, &Action<T>)| PendingAction {
                name: action.name.clone().into_owned(),
                index,
                required: names(&action.required),
                optional: names(&action.optional),
                concurrent: action.concurrent,
                time_limit: action.time_limit,
            })
            .collect();
        let callbacks = definition
            .callbacks
            .iter()
            .enumerate()
            .map(|(index, callback)| PendingCallback {
                name: callback.name.clone().into_owned(),
                index,
                kind: match callback.run {
                    CallbackKind::Before(_) => StepKind::Before,
                    CallbackKind::Around(_) => StepKind::Around,
                    CallbackKind::After(_) => StepKind::After,
                },
                only: names(&callback.filter.only),
                except: names(&callback.filter.except),
                prepend: callback.prepend,
            })
            .collect();
        let skips = std::mem::take(&mut definition.skips)
            .into_iter()
            .map(|skip| (skip.callback.into_owned(), skip.filter))
            .collect();
        Self {
            name: class_key(&definition.name).into_owned(),
            class: Arc::new(Registered {
                instance,
                definition,
            }),
            actions,
            callbacks,
            skips,
        }
    }
}

/// Joins the classes and the application-wide one.
pub(crate) fn build(
    application: Option<&Pending>,
    reflexes: &[Pending],
) -> std::result::Result<Registry, BuildError> {
    let mut registry = Registry {
        classes: HashMap::default(),
        targets: HashMap::default(),
    };
    for pending in application.into_iter().chain(reflexes) {
        let parent = application.filter(|parent| !std::ptr::eq(*parent, pending));
        let actions = routes(parent, pending)?;
        for (name, route) in &actions {
            for class in [pending.name.clone(), format!("{}Reflex", pending.name)] {
                registry
                    .targets
                    .insert(format!("{class}#{name}"), Arc::clone(route));
            }
        }
        if registry
            .classes
            .insert(pending.name.clone(), actions)
            .is_some()
        {
            return Err(BuildError::DuplicateReflex(pending.name.clone()));
        }
    }
    if !registry.classes.contains_key(BASE) {
        // A bare `data-reflex="click"` calls the base class, which does nothing and so morphs the page.
        let mut base = Pending::new(Base);
        base.name = BASE.to_owned();
        let actions = routes(application, &base)?;
        let default = actions
            .into_iter()
            .filter(|(name, _)| name == DEFAULT_ACTION)
            .collect();
        registry.classes.insert(base.name, default);
    }
    Ok(registry)
}

struct Base;

impl Reflexes for Base {
    fn definition() -> Definition<Self> {
        Definition::new("StimulusReflex::Reflex")
    }
}

fn routes(parent: Option<&Pending>, pending: &Pending) -> std::result::Result<Actions, BuildError> {
    check_names(parent, pending)?;
    let mut actions = Actions::default();
    let own = pending
        .actions
        .iter()
        .map(|action| (pending, action.clone()));
    let inherited = parent.into_iter().flat_map(|parent| {
        parent
            .actions
            .iter()
            .map(move |action| (parent, action.clone()))
    });
    let default = PendingAction {
        name: DEFAULT_ACTION.to_owned(),
        index: usize::MAX,
        required: Vec::new(),
        optional: Vec::new(),
        concurrent: false,
        time_limit: None,
    };
    // The weakest first: an own action replaces an inherited one.
    for (owner, action) in std::iter::once((pending, default))
        .chain(inherited)
        .chain(own)
    {
        let chain = Chain {
            steps: steps(parent, pending, &action.name),
            class: Arc::clone(&owner.class),
            action: action.index,
        };
        let rescuers = std::iter::once(pending)
            .chain(parent)
            .filter(|class| class.class.rescues())
            .map(|class| Arc::clone(&class.class))
            .collect();
        let class = if pending.name == BASE {
            "StimulusReflex::Reflex".to_owned()
        } else {
            format!("{}Reflex", pending.name)
        };
        let route = Route {
            label: format!("{class}#{}", action.name),
            action_name: action.name.clone(),
            chain,
            required: action.required,
            optional: action.optional,
            concurrent: action.concurrent,
            time_limit: action.time_limit,
            rescuers,
            measured: Measured::default(),
        };
        actions.insert(action.name, Arc::new(route));
    }
    Ok(actions)
}

/// The callbacks for one action: the application's in order, then the class's own; each `prepend` goes to the front.
fn steps(parent: Option<&Pending>, pending: &Pending, action: &str) -> Vec<Step> {
    let skipped = |callback: &PendingCallback| {
        pending
            .skips
            .iter()
            .any(|(name, filter)| *name == callback.name && filter.admits(action))
    };
    let mut steps = Vec::new();
    for class in parent.into_iter().chain([pending]) {
        let inherited = !std::ptr::eq(class, pending);
        for callback in &class.callbacks {
            if !callback.admits(action) || (inherited && skipped(callback)) {
                continue;
            }
            let step = Step {
                class: Arc::clone(&class.class),
                callback: callback.index,
                kind: callback.kind,
            };
            if callback.prepend {
                steps.insert(0, step);
            } else {
                steps.push(step);
            }
        }
    }
    steps
}

fn check_names(parent: Option<&Pending>, pending: &Pending) -> std::result::Result<(), BuildError> {
    let mut seen: Vec<&str> = Vec::new();
    for action in &pending.actions {
        if seen.contains(&action.name.as_str()) {
            return Err(BuildError::DuplicateAction {
                reflex: pending.name.clone(),
                action: action.name.clone(),
            });
        }
        seen.push(&action.name);
    }
    for (name, filter) in &pending.skips {
        let known = parent.is_some_and(|parent| {
            parent
                .callbacks
                .iter()
                .any(|callback| callback.name == *name)
        });
        if !known {
            return Err(BuildError::UnknownSkip {
                reflex: pending.name.clone(),
                callback: name.clone(),
            });
        }
        for action in filter.names() {
            check_action(parent, pending, name, action)?;
        }
    }
    // The application-wide reflex may name actions of the classes below it, which it cannot know.
    if parent.is_some() {
        for callback in &pending.callbacks {
            for action in callback.only.iter().chain(&callback.except) {
                check_action(parent, pending, &callback.name, action)?;
            }
        }
    }
    Ok(())
}

fn check_action(
    parent: Option<&Pending>,
    pending: &Pending,
    callback: &str,
    action: &str,
) -> std::result::Result<(), BuildError> {
    let known = action == DEFAULT_ACTION
        || std::iter::once(pending)
            .chain(parent)
            .any(|class| class.actions.iter().any(|known| known.name == action));
    if known {
        return Ok(());
    }
    Err(BuildError::UnknownAction {
        reflex: pending.name.clone(),
        callback: callback.to_owned(),
        action: action.to_owned(),
    })
}
