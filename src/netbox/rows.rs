//! Reading: whole lists, single objects, and who and what we talk to.

use std::collections::BTreeSet;

use super::{Client, Error, Row};

/// What runs at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// NetBox's version, `4.7.3`.
    pub netbox: String,
    /// The Custom Objects plugin's version, if it is installed.
    pub custom_objects: Option<String>,
}

/// Whom a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// NetBox user name.
    pub name: String,
    /// Whether every permission is granted without being listed.
    pub superuser: bool,
    /// Names of granted permissions, `ipam.view_aggregate`.
    pub permissions: BTreeSet<String>,
}

impl Client {
    /// Reads all rows of a list.
    ///
    /// # Errors
    /// When a page cannot be read.
    pub async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Row>, Error> {
        let _ = (path, query);
        Ok(Vec::new())
    }

    /// Reads one object; `None` when there is none (404).
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self, path: &str) -> Result<Option<Row>, Error> {
        let _ = path;
        Ok(None)
    }

    /// Asks which versions run.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn status(&self) -> Result<Status, Error> {
        Ok(Status { netbox: String::new(), custom_objects: None })
    }

    /// Asks whom the token belongs to.
    ///
    /// # Errors
    /// When NetBox cannot be asked or does not know the token.
    pub async fn whoami(&self) -> Result<User, Error> {
        Ok(User { name: String::new(), superuser: false, permissions: BTreeSet::new() })
    }
}
