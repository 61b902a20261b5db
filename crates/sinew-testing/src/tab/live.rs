//! The tab's side of the cable: calls, replies, broadcasts.

use std::time::Duration;

use dom_query::NodeId;
use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::{Tab, Visited, unique};
use crate::cable::Connection;
use crate::call::{self, Caller};
use crate::outcome::Outcome;
use crate::page::Page;
use crate::perform::{Wish, in_order, perform};
use crate::upload::Body;

/// The subscription over which reflexes are called.
const REFLEXES: &str = concat!(
    r#"{"channel":"StimulusReflex::Channel","sinew":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}"#
);

/// The operation that brings a ticket for the session's cookie, which our client redeems.
const TICKET: &str = "sinewSession";

/// By what a page is known to want a connection.
const REACTIVE: &str = "meta[name=action-cable-url], [data-reflex], cable-ready-stream-from";

impl Tab {
    /// Loads a page into the tab: all that the one before had is gone.
    pub(super) async fn go(
        &mut self,
        method: Method,
        address: &str,
        form: Option<Body>,
    ) -> Result<(), String> {
        self.load(method, address, form).await?;
        let url = self.url.clone();
        self.history.push(&url);
        self.follow().await
    }

    /// As [`go`](Self::go), without a new entry in the history.
    pub(super) async fn load(
        &mut self,
        method: Method,
        address: &str,
        form: Option<Body>,
    ) -> Result<(), String> {
        let Visited { url, status, html } = self.browser.request(method, address, form).await?;
        self.page = Page::parse(&html);
        self.url = url;
        self.status = status;
        self.tab_id = unique();
        self.console.clear();
        self.broadcasts = 0;
        self.connection = None;
        self.is_offline = false;
        self.was_connected = false;
        self.channels.clear();
        self.connect_if_reactive().await
    }

    pub(super) async fn connect_if_reactive(&mut self) -> Result<(), String> {
        self.refusal = None;
        if self.page.first(REACTIVE)?.is_some() {
            self.connect().await?;
        }
        Ok(())
    }

    /// Opens the cable and subscribes. A refusal is no failure before something needs the cable.
    async fn connect(&mut self) -> Result<(), String> {
        self.subscriptions.clear();
        self.refusal = None;
        self.comes_again = false;
        let cable = self.browser.app().handle().cable();
        let headers = self.browser.request_headers();
        let mut connection = Connection::open(cable, headers, self.browser.host());
        let patience = self.browser.patience();
        let first = connection.next_within(patience).await;
        let first = first.map_err(|_| "the cable gave no sign of itself".to_owned())?;
        match first {
            Some(message) if message["type"] == "welcome" => {}
            Some(message) => {
                let reason = message["reason"].as_str().unwrap_or("no reason");
                self.refusal = Some(reason.to_owned());
                return Ok(());
            }
            None => {
                self.refusal = Some("closed".to_owned());
                return Ok(());
            }
        }
        self.connection = Some(connection);
        self.is_back = std::mem::replace(&mut self.was_connected, true);
        let mut identifiers = vec![REFLEXES.to_owned()];
        identifiers.extend(self.channels.keys().cloned());
        self.confirm(identifiers).await?;
        self.follow_streams().await
    }

    pub(super) async fn connected(&mut self) -> Result<&mut Connection, String> {
        if self.is_offline {
            return Err("the test took the connection away: `reconnect` first".to_owned());
        }
        if self.connection.is_none() {
            self.connect().await?;
        }
        self.connection.as_mut().ok_or_else(|| {
            let reason = self.refusal.as_deref().unwrap_or("closed");
            format!(
                "the cable refused the connection ({reason}): has the visitor a session? \
                 `ClientTags` in the page's head give one"
            )
        })
    }

    /// Subscribes, and waits for each to be confirmed or rejected.
    pub(super) async fn confirm(&mut self, identifiers: Vec<String>) -> Result<(), String> {
        for identifier in &identifiers {
            self.subscriptions.insert(identifier.clone(), None);
            if let Some(connection) = &mut self.connection {
                connection.command("subscribe", identifier).await;
            }
        }
        let deadline = Instant::now() + self.browser.patience();
        for identifier in &identifiers {
            while self.subscriptions.get(identifier) == Some(&None) {
                if !self.receive(deadline).await? {
                    return Err(format!(
                        "no answer to the subscription {identifier}: is there such a channel?"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Follows the streams that the page shows, and those only.
    async fn follow_streams(&mut self) -> Result<(), String> {
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let shown: Vec<String> = self
            .page
            .all("cable-ready-stream-from[identifier]")?
            .into_iter()
            .filter_map(|id| self.page.attribute(id, "identifier"))
            .map(|name| json!({"channel": "CableReady::Stream", "identifier": name}).to_string())
            .collect();
        let left: Vec<String> = self
            .subscriptions
            .keys()
            .filter(|known| {
                let is_own = *known == REFLEXES || self.channels.contains_key(*known);
                !is_own && !shown.contains(known)
            })
            .cloned()
            .collect();
        for identifier in left {
            connection.command("unsubscribe", &identifier).await;
            self.subscriptions.remove(&identifier);
        }
        let mut new = shown;
        new.retain(|identifier| !self.subscriptions.contains_key(identifier));
        new.dedup();
        self.confirm(new).await
    }

    /// Calls a reflex for an element and waits until it has ended and all it set off is done.
    pub(super) async fn call(
        &mut self,
        element: NodeId,
        target: &str,
        args: &Value,
    ) -> Result<(), String> {
        self.connected().await?;
        self.calls += 1;
        let id = format!("{}-{}", self.tab_id, self.calls);
        let caller = Caller {
            id: &id,
            url: self.url.as_str(),
            tab_id: &self.tab_id,
        };
        let data = call::call(&self.page, element, target, args, &caller);
        self.waiting = Some((id, target.to_owned()));
        if self.subscriptions.get(REFLEXES) == Some(&Some(false)) {
            return Err("the server refused the subscription for reflexes".to_owned());
        }
        self.connected().await?.message(REFLEXES, &data).await;
        let patience = self.browser.patience();
        let deadline = Instant::now() + patience;
        while self.waiting.is_some() {
            if !self.receive(deadline).await? {
                return Err(format!("{target} was not answered within {patience:?}"));
            }
            if self.connection.is_none() && self.waiting.is_some() {
                let reason = self.refusal.as_deref().unwrap_or("closed");
                return Err(format!(
                    "the connection ended ({reason}) before {target} was answered"
                ));
            }
        }
        self.follow().await
    }

    /// Does what operations asked of the tab, and follows the streams of the page it then shows.
    pub(super) async fn follow(&mut self) -> Result<(), String> {
        while let Some(wish) = self.wishes.pop_front() {
            match wish {
                Wish::Address { address, is_new } => {
                    if let Ok(url) = self.url.join(&address) {
                        if is_new {
                            self.history.push(&url);
                        } else {
                            self.history.replace(&url);
                        }
                        self.url = url;
                    }
                }
                Wish::Reload => {
                    let address = self.url.to_string();
                    self.load(Method::GET, &address, None).await?;
                }
                Wish::Go(delta) => {
                    // Beyond the ends a browser stays where it is.
                    if let Some(to) = self.history.go(delta) {
                        self.load(Method::GET, to.as_str(), None).await?;
                    }
                }
                Wish::Visit(address) => {
                    let address = self.url.join(&address);
                    let address = address.map_err(|error| format!("redirected: {error}"))?;
                    self.load(Method::GET, address.as_str(), None).await?;
                    let url = self.url.clone();
                    self.history.push(&url);
                }
            }
        }
        if self.connection.is_none() && self.comes_again {
            self.connect().await?;
        } else {
            self.follow_streams().await?;
        }
        if std::mem::take(&mut self.is_back) {
            // What it calls ends here again.
            Box::pin(self.tell_back()).await?;
        }
        Ok(())
    }

    /// Carries out what has arrived, without waiting for more.
    pub(super) async fn catch_up(&mut self) -> Result<(), String> {
        // Whatever is ready to run may still have something to say.
        tokio::task::yield_now().await;
        while self.connection.is_some() && self.receive(Instant::now()).await? {
            self.follow().await?;
        }
        Ok(())
    }

    /// Carries out what arrives until something is so. `None` as an error: it did not become so.
    pub(super) async fn try_until(
        &mut self,
        is_so: impl Fn(&Self) -> Result<bool, String>,
    ) -> Result<(), Option<String>> {
        let deadline = Instant::now() + self.browser.patience();
        while !is_so(self)? {
            self.connected().await?;
            if !self.receive(deadline).await? {
                return Err(None);
            }
            self.follow().await?;
        }
        Ok(())
    }

    pub(super) async fn listen(&mut self, time: Duration) -> Result<(), String> {
        let deadline = Instant::now() + time;
        while self.connection.is_some() {
            if !self.receive(deadline).await? {
                return Ok(());
            }
            self.follow().await?;
        }
        tokio::time::sleep_until(deadline).await;
        Ok(())
    }

    /// Takes one message and carries it out; false when none came in time.
    async fn receive(&mut self, deadline: Instant) -> Result<bool, String> {
        let Some(connection) = &mut self.connection else {
            return Ok(false);
        };
        match timeout_at(deadline, connection.next()).await {
            Err(_) => Ok(false),
            Ok(Some(message)) => {
                match ticket(&message) {
                    Some((path, ticket)) => self.browser.redeem(path, ticket).await?,
                    None => self.take(message),
                }
                Ok(true)
            }
            Ok(None) => {
                self.connection = None;
                Ok(true)
            }
        }
    }

    fn take(&mut self, mut message: Value) {
        let identifier = message["identifier"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        match message["type"].as_str() {
            Some("confirm_subscription") => {
                self.subscriptions.insert(identifier, Some(true));
            }
            Some("reject_subscription") => {
                self.subscriptions.insert(identifier, Some(false));
            }
            Some("disconnect") => {
                let reason = message["reason"].as_str().unwrap_or("no reason");
                self.refusal = Some(reason.to_owned());
                self.comes_again = message["reconnect"] == true;
            }
            _ => {
                let is_reply = identifier == REFLEXES;
                let data = message["message"].take();
                if let Some(waiting) = self.channels.get_mut(&identifier) {
                    waiting.push_back(data.clone());
                }
                if data["cableReady"] != true {
                    return;
                }
                let operations = data["operations"].as_array().cloned().unwrap_or_default();
                if is_reply {
                    self.take_reply(operations);
                } else {
                    for operation in operations {
                        self.carry_out(operation);
                    }
                    self.broadcasts += 1;
                }
            }
        }
    }

    fn take_reply(&mut self, operations: Vec<Value>) {
        let (own, others) = in_order(operations);
        let first = own.first().or(others.first());
        let id = first.and_then(|first| {
            let id = &first["stimulusReflex"]["id"];
            id.as_str().or(first["reflexId"].as_str())
        });
        // Another tab of the same visitor asked.
        if !id.is_some_and(|id| id.starts_with(&self.tab_id)) {
            return;
        }
        let ends = match (&self.waiting, own.first()) {
            (Some((id, target)), Some(last)) if last["stimulusReflex"]["id"] == **id => {
                Some(Outcome::of(target, last))
            }
            _ => None,
        };
        for operation in own.into_iter().chain(others) {
            self.carry_out(operation);
        }
        if let Some(outcome) = ends {
            self.outcome = Some(outcome);
            self.waiting = None;
        }
    }

    fn carry_out(&mut self, operation: Value) {
        if operation["operation"] == "consoleLog" {
            let line = match &operation["message"] {
                Value::String(line) => line.clone(),
                other => other.to_string(),
            };
            self.console.push(line);
        }
        let (performed, wish) = perform(&mut self.page, operation);
        self.operations.push(performed);
        self.wishes.extend(wish);
    }
}

/// The ticket that a message brings, and where it is redeemed.
fn ticket(message: &Value) -> Option<(&str, &str)> {
    let operation = &message["message"]["operations"][0];
    let is_ticket = message["identifier"] == REFLEXES && operation["operation"] == TICKET;
    let is_ticket = is_ticket.then_some(operation)?;
    Some((is_ticket["path"].as_str()?, is_ticket["ticket"].as_str()?))
}
