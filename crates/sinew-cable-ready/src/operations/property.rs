//! Operations on classes, attributes, styles and properties.

use std::borrow::Cow;

use serde_json::Value;

use super::{ClassNames, Operation, Operations, Target};

/// # Classes, attributes, properties
///
/// ```
/// use serde_json::json;
/// use sinew_cable_ready::Operations;
///
/// let mut operations = Operations::new();
/// operations
///     .add_css_class("#row", "active")
///     .remove_css_class("#row", "new wide")
///     .set_attribute("#row", "aria-busy", "true")
///     .remove_attribute("#row", "hidden")
///     .set_dataset_property("#row", "userId", 7)
///     .set_property("#agreed", "checked", true)
///     .set_style("#bar", "width", "40%")
///     .set_styles("#bar", json!({"background_color": "teal", "opacity": 0.5}))
///     .set_value("#amount", "12.50");
///
/// let json: serde_json::Value = serde_json::from_str(&operations.to_json())?;
/// assert_eq!(json[1]["name"], json!(["new", "wide"]));
/// assert_eq!(
///     json[2],
///     json!({"selector": "#row", "name": "aria-busy", "value": "true", "operation": "setAttribute"})
/// );
/// assert_eq!(json[3]["name"], "hidden");
/// assert_eq!(json[4]["value"], 7);
/// assert_eq!(json[5]["value"], true);
/// assert_eq!(json[6]["name"], "width");
/// assert_eq!(json[7]["styles"], json!({"backgroundColor": "teal", "opacity": 0.5}));
/// assert_eq!(json[8]["value"], "12.50");
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Operations {
    /// Adds one or several classes.
    ///
    /// ```
    /// use sinew_cable_ready::Operations;
    /// let mut operations = Operations::new();
    /// operations.add_css_class("#a", "b").add_css_class("#a", ["c", "d"]);
    /// assert_eq!(
    ///     operations.to_json(),
    ///     r##"[{"selector":"#a","name":"b","operation":"addCssClass"},{"selector":"#a","name":["c","d"],"operation":"addCssClass"}]"##
    /// );
    /// ```
    pub fn add_css_class(
        &mut self,
        target: impl Into<Target>,
        names: impl Into<ClassNames>,
    ) -> &mut Self {
        let operation = Operation::new("addCssClass").at(target);
        self.push(operation.option("name", names.into()))
    }

    /// Removes one or several classes, and the `class` attribute when none is left.
    pub fn remove_css_class(
        &mut self,
        target: impl Into<Target>,
        names: impl Into<ClassNames>,
    ) -> &mut Self {
        let operation = Operation::new("removeCssClass").at(target);
        self.push(operation.option("name", names.into()))
    }

    /// Sets an attribute.
    pub fn set_attribute(
        &mut self,
        target: impl Into<Target>,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> &mut Self {
        self.named_value("setAttribute", target, name, value)
    }

    /// Removes an attribute.
    pub fn remove_attribute(
        &mut self,
        target: impl Into<Target>,
        name: impl Into<Cow<'static, str>>,
    ) -> &mut Self {
        self.push(
            Operation::new("removeAttribute")
                .at(target)
                .text("name", name),
        )
    }

    /// Sets a data attribute. `name` is the property's name, `userId` for `data-user-id`.
    pub fn set_dataset_property(
        &mut self,
        target: impl Into<Target>,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> &mut Self {
        self.named_value("setDatasetProperty", target, name, value)
    }

    /// Sets a property of the element object, such as `checked`. Only one that the element already has.
    pub fn set_property(
        &mut self,
        target: impl Into<Target>,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> &mut Self {
        self.named_value("setProperty", target, name, value)
    }

    /// Sets one property of the inline style, `background-color` or `backgroundColor`.
    pub fn set_style(
        &mut self,
        target: impl Into<Target>,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> &mut Self {
        self.named_value("setStyle", target, name, value)
    }

    /// Sets several properties of the inline style: an object of names and values.
    ///
    /// Names are keys and so rewritten like all keys: `background_color` arrives as `backgroundColor`.
    pub fn set_styles(&mut self, target: impl Into<Target>, styles: impl Into<Value>) -> &mut Self {
        let operation = Operation::new("setStyles").at(target);
        self.push(operation.option("styles", styles))
    }

    /// Sets the value of a form field.
    ///
    /// It is how a field is emptied after its form was taken. A morph does not do that: what was typed is no part
    /// of the HTML, so a field whose HTML is as before keeps it, and the field with the focus keeps it in any case.
    ///
    /// ```
    /// use sinew_cable_ready::Operations;
    /// let mut operations = Operations::new();
    /// operations.set_value("#text", "").set_focus("#text");
    /// assert_eq!(
    ///     operations.to_json(),
    ///     r##"[{"selector":"#text","value":"","operation":"setValue"},{"selector":"#text","operation":"setFocus"}]"##
    /// );
    /// ```
    pub fn set_value(&mut self, target: impl Into<Target>, value: impl Into<Value>) -> &mut Self {
        let operation = Operation::new("setValue").at(target);
        self.push(operation.option("value", value))
    }

    fn named_value(
        &mut self,
        operation: &'static str,
        target: impl Into<Target>,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> &mut Self {
        let operation = Operation::new(operation).at(target).text("name", name);
        self.push(operation.option("value", value))
    }
}
