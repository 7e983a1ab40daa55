//! Users who may do some things.

use axum::http::Method;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// NetBox user name.
    pub name: String,
    /// Their v2 token.
    pub token: String,
    /// Their permissions; they may do nothing else.
    pub grants: Vec<Grant>,
    /// The restriction of their token, if it has one.
    pub limit: Option<TokenLimit>,
}

/// A restriction of a token, whatever its user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenLimit {
    /// It is switched off.
    Disabled,
    /// Its time is over.
    Expired,
    /// It is for other addresses than those of this machine.
    OtherAddresses,
    /// It has no "Write enabled".
    ReadOnly,
}

/// A permission on the objects of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The path of the list after `/api/`, without slashes at the ends: `ipam/aggregates`,
    /// `plugins/custom-objects/rir-config`.
    pub list: String,
    /// The actions that it allows.
    pub actions: Vec<Action>,
    /// The objects it is for; `None` for all.
    pub ids: Option<Vec<u64>>,
}

/// Something that may be done with objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read them.
    View,
    /// Create them.
    Add,
    /// Write to those that exist.
    Change,
    /// Delete them.
    Delete,
}

impl Grant {
    /// A permission on all objects of a list.
    #[must_use]
    pub fn new(list: &str, actions: &[Action]) -> Self {
        Self { list: list.to_owned(), actions: actions.to_vec(), ids: None }
    }

    /// Only for these objects.
    #[must_use]
    pub fn only(self, ids: &[u64]) -> Self {
        Self { ids: Some(ids.to_vec()), ..self }
    }
}

impl Action {
    /// Returns what a request of this method is about to do.
    pub(super) fn of(method: &Method) -> Self {
        match *method {
            Method::POST => Self::Add,
            Method::PATCH => Self::Change,
            Method::DELETE => Self::Delete,
            _ => Self::View,
        }
    }

    /// Returns NetBox's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Add => "add",
            Self::Change => "change",
            Self::Delete => "delete",
        }
    }
}

impl User {
    /// Returns whether there is a permission for it at all, if only for some objects.
    pub(super) fn may(&self, list: &str, action: Action) -> bool {
        self.grants(list, action).next().is_some()
    }

    /// Returns whether the permission is for this object.
    pub(super) fn reaches(&self, list: &str, action: Action, id: u64) -> bool {
        self.grants(list, action).any(|grant| grant.ids.as_ref().is_none_or(|ids| ids.contains(&id)))
    }

    fn grants(&self, list: &str, action: Action) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.list == list && grant.actions.contains(&action))
    }
}
