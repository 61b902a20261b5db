//! Console lines and system notifications.

use serde_json::Value;

use super::{Operation, Operations};

/// # Console and notifications
///
/// ```
/// use serde_json::json;
/// use sinew_cable_ready::Operations;
///
/// let mut operations = Operations::new();
/// operations
///     .console_log("saved")
///     .console_table(json!([{"user_id": 1, "name": "Ann"}]))
///     .notification("Saved");
/// assert_eq!(
///     operations.to_json(),
///     r#"[{"message":"saved","operation":"consoleLog"},{"data":[{"userId":1,"name":"Ann"}],"operation":"consoleTable"},{"title":"Saved","operation":"notification"}]"#
/// );
/// ```
impl Operations {
    /// Writes a line to the browser's console.
    pub fn console_log(&mut self, message: impl Into<Value>) -> &mut Self {
        self.push(Operation::new("consoleLog").option("message", message))
    }

    /// Writes a table to the browser's console. Keys inside `data` arrive in lower camel case.
    pub fn console_table(&mut self, data: impl Into<Value>) -> &mut Self {
        self.push(Operation::new("consoleTable").option("data", data))
    }

    /// Shows a system notification, after asking the visitor for permission.
    pub fn notification(&mut self, title: impl Into<String>) -> &mut Self {
        self.push(Operation::new("notification").text("title", title.into()))
    }
}
